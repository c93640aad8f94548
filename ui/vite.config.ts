import { fileURLToPath } from 'node:url';
import { paraglideVitePlugin } from '@inlang/paraglide-js';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { svelteTesting } from '@testing-library/svelte/vite';
import type { Plugin } from 'vite';
import { defineConfig } from 'vitest/config';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/**
 * The window freezes `Object.prototype`, so that a plain object cannot be given a `toString` by assignment. xterm.js does so in
 * one place (a namespace of VS Code's). Said as a definition it is the same, and the prototype stays frozen.
 */
const underFrozenPrototypes = () => ({
  name: 'under-frozen-prototypes',
  transform(code: string, id: string) {
    if (!/@xterm\/(xterm|addon-webgl)\/lib\/[\w-]+\.mjs/.test(id)) return null;
    const assigned = /\b(\w+)\.toString=(\w+);/g;
    if (code.match(assigned)?.length !== 1) throw new Error(`${id} is not as it was: look at it anew`);
    return { code: code.replace(assigned, 'Object.defineProperty($1,"toString",{value:$2});'), map: null };
  },
});

/**
 * Lucide draws an icon from a list of its parts, each part a dynamic element with its attributes spread over it: a fifth of the time
 * that it took to put up the first list. Said as markup it is a template that is copied.
 */
const iconsAsMarkup = (): Plugin => ({
  name: 'icons-as-markup',
  enforce: 'pre',
  transform(code: string, id: string) {
    if (!/@lucide\/svelte\/dist\/icons\/[\w-]+\.svelte$/.test(id)) return null;
    const data = /const iconData = (\{.*\});/.exec(code)?.[1];
    if (data === undefined) throw new Error(`${id} is not as it was: look at it anew`);
    const { node } = JSON.parse(data) as { node: [string, Record<string, string>][] };
    const parts = node.map(([tag, attributes]) => {
      const said = Object.entries(attributes).map(([name, value]) => ` ${name}="${value}"`);
      return `<${tag}${said.join('')} />`;
    });
    const markup = `<script>
      let { size = 24, class: given, role, 'aria-label': label } = $props();
    </script>
    <svg xmlns="http://www.w3.org/2000/svg" width={size} height={size} viewBox="0 0 24 24" fill="none" stroke="currentColor"
      stroke-width="2" stroke-linecap="round" stroke-linejoin="round" class={given} {role} aria-label={label}
      aria-hidden={label === undefined ? 'true' : undefined}>${parts.join('')}</svg>`;
    return { code: markup, map: null };
  },
});

export default defineConfig(({ mode }) => ({
  // The preview page (sample data, no backend) is built apart from the application and never into it.
  root: here(mode === 'preview' ? './preview' : '.'),
  // The window loads from its own scheme; relative addresses hold there and in the preview alike.
  base: './',
  plugins: [
    underFrozenPrototypes(),
    iconsAsMarkup(),
    svelte({ configFile: here('./svelte.config.js') }),
    svelteTesting(),
    paraglideVitePlugin({
      project: here('./project.inlang'),
      outdir: here('./src/words/compiled'),
      strategy: ['globalVariable', 'baseLocale'],
      outputStructure: process.env['VITEST'] === undefined ? 'message-modules' : 'locale-modules',
      emitReadme: false,
    }),
  ],
  build: {
    outDir: here(mode === 'preview' ? '../target/ui-preview' : './dist'),
    emptyOutDir: true,
    target: ['safari16', 'chrome110'],
    // The polyfill is an inline script, which the content security policy refuses.
    modulePreload: { polyfill: false },
    // A file, never a data: address, so that the policy needs no exception.
    assetsInlineLimit: 0,
    // Loaded from the program itself, not over a network.
    chunkSizeWarningLimit: 800,
    rolldownOptions: {
      ...(mode === 'preview' ? {} : { input: [here('./index.html'), here('./sessions.html')] }),
      // What two screens have in common is one file: a window asks for each of its files by itself.
      output: { codeSplitting: { groups: [{ name: 'common', minShareCount: 2 }] } },
    },
  },
  server: { host: '127.0.0.1', port: 5173, strictPort: true },
  test: {
    environment: 'happy-dom',
    include: ['tests/**/*.test.ts'],
    setupFiles: ['tests/setup.ts'],
    // Times are asserted as a reader in this zone sees them.
    env: { TZ: 'Asia/Shanghai' },
    restoreMocks: true,
    // Reading a screen's code for the first time is part of whichever test goes to it.
    testTimeout: 30_000,
  },
}));
