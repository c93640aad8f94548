import js from '@eslint/js';
import prettier from 'eslint-config-prettier';
import svelte from 'eslint-plugin-svelte';
import globals from 'globals';
import ts from 'typescript-eslint';
import svelteConfig from './svelte.config.js';

export default ts.config(
  { ignores: ['dist', 'node_modules', 'src/words/compiled', 'src/host/generated.ts'] },
  js.configs.recommended,
  ts.configs.strict,
  svelte.configs.recommended,
  prettier,
  svelte.configs.prettier,
  { languageOptions: { globals: { ...globals.browser, ...globals.node } } },
  {
    files: ['**/*.svelte', '**/*.svelte.ts'],
    languageOptions: { parserOptions: { parser: ts.parser, extraFileExtensions: ['.svelte'], svelteConfig } },
  },
  {
    rules: {
      eqeqeq: 'error',
      'no-console': 'error',
      // Text from servers, clouds and receivers is shown as text. There is no markup worth the risk.
      'svelte/no-at-html-tags': 'error',
      'svelte/require-each-key': 'error',
      'svelte/block-lang': ['error', { script: ['ts'] }],
      // State is replaced whole ($state.raw), never changed in place, so plain maps and dates do.
      'svelte/prefer-svelte-reactivity': 'off',
      // TypeScript knows every name already.
      'no-undef': 'off',
    },
  },
  {
    files: ['src/**', 'tests/**', 'preview/**'],
    ignores: ['src/host/host.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [{ group: ['@tauri-apps/*'], message: 'Only src/host/host.ts talks to the shell; use a Host.' }],
        },
      ],
    },
  },
);
