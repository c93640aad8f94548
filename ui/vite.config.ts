import { fileURLToPath } from 'node:url';
import { paraglideVitePlugin } from '@inlang/paraglide-js';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { svelteTesting } from '@testing-library/svelte/vite';
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

export default defineConfig(({ mode }) => ({
  // The preview page (sample data, no backend) is built apart from the application and never into it.
  root: here(mode === 'preview' ? './preview' : '.'),
  // The window loads from its own scheme; relative addresses hold there and in the preview alike.
  base: './',
  plugins: [
    underFrozenPrototypes(),
    svelte({ configFile: here('./svelte.config.js') }),
    svelteTesting(),
    paraglideVitePlugin({
      project: here('./project.inlang'),
      outdir: here('./src/words/compiled'),
      strategy: ['globalVariable', 'baseLocale'],
      outputStructure: 'locale-modules',
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
    ...(mode === 'preview' ? {} : { rolldownOptions: { input: [here('./index.html'), here('./sessions.html')] } }),
  },
  server: { host: '127.0.0.1', port: 5173, strictPort: true },
  test: {
    environment: 'happy-dom',
    include: ['tests/**/*.test.ts'],
    setupFiles: ['tests/setup.ts'],
    // Times are asserted as a reader in this zone sees them.
    env: { TZ: 'Asia/Shanghai' },
    restoreMocks: true,
  },
}));
