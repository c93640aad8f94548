import { mount } from 'svelte';
import App from './App.svelte';
import { tauriHost } from './host/host';
import './look/system';
import './look/base.css';

const target = document.getElementById('app');
if (target) mount(App, { target, props: { host: tauriHost() } });
