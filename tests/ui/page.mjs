// How does a test open the page? The built page on the preview server, under the window's content security policy, in the
// system's Chromium. What the page logs as an error, or what its policy refuses, fails the test that made it.

import axe from 'axe-core';
import assert from 'node:assert/strict';
import { existsSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { createServer, preview } from 'vite';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Where pictures go; git ignores it. */
export const results = path.join(root, 'test-results');

/** A test waits this long for a state, in milliseconds. */
const PATIENCE = 30_000;

/** @returns {string} */
function browser() {
  const candidates = [process.env.CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
  const found = candidates.find((candidate) => candidate && existsSync(candidate));
  if (!found) throw new Error('no Chromium was found; install the package chromium or set CHROMIUM to its path');
  return found;
}

/**
 * Serves the page and starts a browser for one test file.
 *
 * @param {import('node:test').TestContext | { after: (end: () => Promise<void>) => void }} context
 */
export async function openBrowser(context) {
  const server = await preview({
    root: path.join(root, 'ui'),
    configFile: path.join(root, 'vite.config.ts'),
    preview: { port: 0 },
    // Another build of the page, for work on it while the one in ui/dist is in use.
    build: process.env.UI_DIST ? { outDir: process.env.UI_DIST } : {},
    logLevel: 'error',
  });
  const chromiumBrowser = await chromium.launch({ executablePath: browser(), args: ['--no-sandbox'] });
  context.after(async () => {
    await chromiumBrowser.close();
    await server.close();
  });
  const base = server.resolvedUrls?.local[0] ?? '';
  return {
    /**
     * Opens the kit's page, which is no part of the build.
     *
     * @param {import('node:test').TestContext} test
     */
    async kit(test) {
      const work = await createServer({
        root: path.join(root, 'ui'),
        configFile: path.join(root, 'vite.config.ts'),
        server: { port: 0 },
        logLevel: 'error',
      });
      await work.listen();
      const page = await chromiumBrowser.newPage({ viewport: { width: 1400, height: 1500 }, reducedMotion: 'reduce' });
      test.after(async () => {
        await page.close();
        await work.close();
      });
      await page.goto(`${work.resolvedUrls?.local[0]}kit.html`);
      await page.getByTestId('theme-dark').waitFor({ timeout: 60_000 });
      return page;
    },
    /**
     * Opens a scene in a fresh profile.
     *
     * @param {import('node:test').TestContext} test
     * @param {string} query
     * @param {import('playwright-core').BrowserContextOptions & { now?: Date }} [options] `now`: what the page's clock says
     */
    async scene(test, query, { now, ...options } = {}) {
      const profile = await chromiumBrowser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
      // As the shell has it (freezePrototype), so that a library which counts on the opposite is found here.
      await profile.addInitScript(() => void Object.freeze(Object.prototype));
      const page = await profile.newPage();
      if (now) await page.clock.setFixedTime(now);
      page.setDefaultTimeout(PATIENCE);
      /** @type {string[]} */
      const complaints = [];
      page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
      page.on('pageerror', (error) => complaints.push(String(error)));
      test.after(async () => {
        await profile.close();
        assert.deepEqual(complaints, [], 'the page logged no error and kept to its policy');
      });
      await page.goto(`${base}?${query}`);
      await page
        .getByTestId('composer-input')
        .or(page.getByTestId('session-row'))
        .or(page.getByTestId('first-run'))
        .first()
        .waitFor();
      return page;
    },
  };
}

/**
 * What axe finds wrong with the page as it stands, one line for each place.
 *
 * @param {import('playwright-core').Page} page
 */
export async function violations(page) {
  await page.evaluate(axe.source);
  const found = await page.evaluate(() =>
    globalThis.axe.run(document, {
      runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
    }),
  );
  return found.violations.flatMap(({ id, help, nodes }) =>
    nodes.map((node) => `${id}: ${help}: ${node.html.slice(0, 160)}`),
  );
}

/**
 * A picture for people to look at.
 *
 * @param {import('playwright-core').Page} page
 * @param {string} name
 */
export async function picture(page, name) {
  mkdirSync(results, { recursive: true });
  await page.screenshot({ path: path.join(results, `${name}.png`) });
}

/** @param {import('playwright-core').Page} page @param {string} prompt */
export async function start(page, prompt) {
  await page.getByTestId('composer-input').fill(prompt);
  await page.keyboard.press('Enter');
}

/**
 * Waits until an opened transcript stands still: at its end, its rows measured. Before that, what is to be clicked may move away.
 *
 * @param {import('playwright-core').Page} page
 */
export async function settled(page) {
  await page.getByTestId('item').first().waitFor();
  await page.waitForFunction(
    () =>
      new Promise((resolve) => {
        const list = document.querySelector('[data-testid=transcript]');
        const place = () =>
          `${list?.scrollTop} ${list?.scrollHeight} ${list?.querySelectorAll('[data-testid=item]').length}`;
        const before = place();
        let frames = 0;
        const look = () => {
          if (place() !== before) return resolve(false);
          frames += 1;
          return frames === 12 ? resolve(true) : requestAnimationFrame(look);
        };
        requestAnimationFrame(look);
      }),
  );
}

/**
 * What every row of a short transcript says, from its top to its end. Scrolls through it, because only rows in view are in the page.
 *
 * @param {import('playwright-core').Page} page
 */
export async function transcript(page) {
  return page.evaluate(async () => {
    const scroller = document.querySelector('[data-testid=transcript]');
    if (!scroller) throw new Error('there is no transcript');
    const rows = new Map();
    const frame = () => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
    const back = scroller.scrollTop;
    for (let top = 0; ; top += 200) {
      scroller.scrollTop = top;
      await frame();
      for (const row of scroller.querySelectorAll('[data-testid=item]')) {
        const { itemId, kind } = row.dataset;
        rows.set(itemId, {
          top: row.getBoundingClientRect().top + scroller.scrollTop,
          kind,
          text: row.textContent.replace(/\s+/g, ' ').trim(),
        });
      }
      if (top >= scroller.scrollHeight - scroller.clientHeight) break;
    }
    scroller.scrollTop = back;
    return [...rows].map(([id, row]) => ({ id, ...row })).sort((a, b) => a.top - b.top);
  });
}

/**
 * Waits until there are so many of something, no more and no fewer.
 *
 * @param {import('playwright-core').Locator} places
 * @param {number} many At least 1; for none, wait for the first to be detached.
 */
export async function counted(places, many) {
  await places.nth(many - 1).waitFor({ state: 'attached' });
  await places.nth(many).waitFor({ state: 'detached' });
}
