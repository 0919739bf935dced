// How is the page built, served in development and tested? Built into ui/dist, which the shell embeds.
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { plainIcons } from './ui/build/plain_icons.ts';
import { textFaceFirst } from './ui/build/text_face_first.ts';

/** The policy of the shell's window, less its own bridge: the tests run under it, so a page that breaks it fails there. */
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "worker-src 'self'",
  "style-src 'self'",
  "font-src 'self'",
  "img-src 'self' data: blob:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** Who names a module, as the bundler tells it. */
type Told = { getModuleInfo: (id: string) => { importers: readonly string[]; isEntry: boolean } | null };

/** Whether the window begins with a module: the entry and what it imports, whatever is imported later. */
const beginners = new Map<string, boolean>();

/** All that the window begins with is one file: each further one costs the shell's web view a question of its own. */
function beginsWith(id: string, told: Told): string | null {
  const known = beginners.get(id);
  if (known !== undefined) return known ? 'begin' : null;
  // A circle of imports begins with the window where one of them does.
  beginners.set(id, false);
  const info = told.getModuleInfo(id);
  const begins = info !== null && (info.isEntry || info.importers.some((from) => beginsWith(from, told) !== null));
  beginners.set(id, begins);
  return begins ? 'begin' : null;
}

const ui = fileURLToPath(new URL('./ui', import.meta.url));

export default defineConfig({
  root: 'ui',
  plugins: [plainIcons, svelte({ configFile: '../svelte.config.js' }), textFaceFirst],
  resolve: {
    // The browser's build of Svelte in tests too: components are mounted there.
    conditions: process.env.VITEST ? ['browser'] : undefined,
  },
  clearScreen: false,
  server: { port: 1420, strictPort: true, host: '127.0.0.1' },
  preview: { host: '127.0.0.1', headers: { 'Content-Security-Policy': contentSecurityPolicy } },
  worker: { format: 'es' },
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    target: ['safari17', 'chrome120'],
    // A grammar of a language is one file and some are big; they load one by one, off the main thread.
    chunkSizeWarningLimit: 900,
    // No data: URLs, so that the policy can refuse fonts and scripts from them.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // The styles of what is loaded later are few, and one file comes sooner than ten.
    cssCodeSplit: false,
    rolldownOptions: {
      checks: { pluginTimings: false },
      output: { codeSplitting: { groups: [{ name: beginsWith }] } },
    },
  },
  test: {
    root: ui,
    environment: 'jsdom',
    include: ['src/**/*.test.ts'],
    restoreMocks: true,
  },
});
