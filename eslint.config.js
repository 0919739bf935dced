// What must code keep to, beyond types and layout? Rules for the page, the runners and the scripts of the tests.
import js from '@eslint/js';
import svelte from 'eslint-plugin-svelte';
import globals from 'globals';
import ts from 'typescript-eslint';
import svelteConfig from './svelte.config.js';

const page = ['ui/src/**/*.ts', 'ui/src/**/*.svelte'];

export default ts.config(
  { ignores: ['ui/dist/', 'ui/src/protocol/', 'target/', 'test-results/', '**/node_modules/'] },
  js.configs.recommended,
  {
    rules: {
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      'no-console': 'error',
      'no-eval': 'error',
      'no-implied-eval': 'error',
      'no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      'prefer-const': 'error',
      'max-lines': ['error', 500],
    },
  },
  {
    files: [
      'runners/**/*.mjs',
      'tests/**/*.mjs',
      'src-tauri/**/*.mjs',
      'dev.d/**/*.mjs',
      'packaging/**/*.mjs',
      'templates/**/*.mjs',
      '*.js',
      '*.ts',
      'ui/build/*.ts',
    ],
    languageOptions: { globals: { ...globals.node } },
    rules: { 'no-console': 'off' },
  },
  {
    // What a test hands to the browser runs there.
    files: ['tests/ui/**/*.mjs', 'tests/bare_window/page/*.js'],
    languageOptions: { globals: { ...globals.browser } },
  },
  ...[...ts.configs.recommended, ...svelte.configs.recommended].map((config) => ({
    ...config,
    files: config.files ?? [...page, 'vite.config.ts', 'ui/build/*.ts'],
  })),
  {
    files: page,
    languageOptions: {
      globals: globals.browser,
      parserOptions: { parser: ts.parser, extraFileExtensions: ['.svelte'], svelteConfig },
    },
    rules: {
      'no-undef': 'off',
      'no-unused-vars': 'off',
      // Props are declared with `let`, as Svelte's own rule has it.
      'prefer-const': 'off',
      'svelte/prefer-const': [
        'error',
        { destructuring: 'all', excludedRunes: ['$props', '$bindable', '$derived', '$state'] },
      ],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      // The sets and maps that are not drawn need no reactivity; `version` tells when to look again.
      'svelte/prefer-svelte-reactivity': 'off',
      'no-restricted-imports': [
        'error',
        { patterns: [{ group: ['@tauri-apps/*'], message: 'Only ui/src/host talks to the shell.' }] },
      ],
    },
  },
  { files: ['ui/src/host/**/*.ts'], rules: { 'no-restricted-imports': 'off' } },
);
