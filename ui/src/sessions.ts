// The window of sessions: a page of its own, with a host of its own.
import { mount } from 'svelte';
import { tauriSessions } from './host/host';
import './look/system';
import './look/base.css';
import Sessions from './screens/sessions/Sessions.svelte';
import { xtermScreen } from './screens/sessions/screen';

const target = document.getElementById('app');
if (target) mount(Sessions, { target, props: { host: tauriSessions(), makeScreen: xtermScreen } });
