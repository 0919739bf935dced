// How does the page look, in light and dark? Pictures for people; and colours that can be read, measured.

import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import test, { after } from 'node:test';
import { openBrowser, results } from './page.mjs';

const browser = await openBrowser({ after });
mkdirSync(results, { recursive: true });

const scenes = {
  'new-session': ['replay=demo', async () => undefined],
  'first-run': ['replay=first-run', async () => undefined],
  session: ['replay=states', (page) => page.locator('[data-session=s-ask]').click()],
  error: ['replay=states', (page) => page.locator('[data-session=s-broken]').click()],
  'long-words': ['replay=states', (page) => page.locator('[data-session=s-long]').click()],
  stalled: [
    'replay=troubles',
    async (page) => {
      await page.locator('[data-session=t-stalled]').click();
      await page.getByTestId('inspector-toggle').click();
      await page.getByRole('tab', { name: 'Processes' }).click();
      await page.getByTestId('process').first().waitFor();
      await page.getByTestId('health').hover();
      await page.getByTestId('health-reasons').first().waitFor();
    },
  ],
  retry: ['replay=troubles', (page) => page.locator('[data-session=t-retry]').click()],
  killed: ['replay=troubles', (page) => page.locator('[data-session=t-killed]').click()],
  crashed: [
    'replay=troubles',
    async (page) => {
      await page.locator('[data-session=t-crashed]').click();
      await page.getByTestId('error-tail').click();
    },
  ],
  resumed: ['replay=troubles', (page) => page.locator('[data-session=t-resumed]').click()],
  damaged: [
    'replay=troubles',
    async (page) => {
      await page.locator('[data-session=t-damaged]').click();
      await page.getByTestId('damage-where').click();
    },
  ],
  unrecorded: ['replay=troubles', (page) => page.locator('[data-session=t-unrecorded]').click()],
  notices: ['replay=troubles', (page) => page.locator('[data-session=t-notices]').click()],
  interrupted: ['replay=troubles', (page) => page.locator('[data-session=t-int]').click()],
  doctor: ['replay=first-run', (page) => page.getByTestId('doctor-open').click()],
};

for (const colorScheme of ['light', 'dark'])
  for (const [name, [query, prepare]] of Object.entries(scenes))
    test(`${name} in ${colorScheme}`, async (t) => {
      const page = await browser.scene(t, query, { colorScheme, reducedMotion: 'reduce' });
      await prepare(page);
      await page.waitForLoadState('networkidle');
      await page.screenshot({ path: path.join(results, `${name}-${colorScheme}.png`) });
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert.ok(wide <= 0, 'nothing is wider than the window');
      assert.deepEqual(await tooFaint(page), []);
    });

/** Words whose contrast with what is behind them is below 4.5:1. Disabled controls need none. */
function tooFaint(page) {
  return page.evaluate(() => {
    const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
    const rgba = (color) => {
      canvas.clearRect(0, 0, 1, 1);
      canvas.fillStyle = color;
      canvas.fillRect(0, 0, 1, 1);
      return [...canvas.getImageData(0, 0, 1, 1).data];
    };
    const over = (top, below) => below.map((part, n) => (top[n] * top[3] + part * (255 - top[3])) / 255);
    const light = (color) => {
      const [r, g, b] = color
        .slice(0, 3)
        .map((part) => (part / 255 <= 0.03928 ? part / 255 / 12.92 : ((part / 255 + 0.055) / 1.055) ** 2.4));
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const behind = (element) => {
      const layers = [];
      for (let node = element; node; node = node.parentElement)
        layers.unshift(rgba(getComputedStyle(node).backgroundColor));
      return layers.reduce((below, layer) => over(layer, below), [255, 255, 255]);
    };
    const faint = [];
    const words = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (words.nextNode()) {
      const element = words.currentNode.parentElement;
      const text = words.currentNode.textContent.trim();
      if (
        !text ||
        !element.checkVisibility({ visibilityProperty: true }) ||
        element.closest(':disabled, [data-disabled], .unseen')
      )
        continue;
      const ground = behind(element);
      const ink = over(rgba(getComputedStyle(element).color), ground);
      const [a, b] = [light(ink), light(ground)].sort((x, y) => y - x);
      const contrast = (a + 0.05) / (b + 0.05);
      if (contrast < 4.5) faint.push(`${contrast.toFixed(2)} ${text.slice(0, 40)} (${element.className})`);
    }
    return faint;
  });
}
