// Does the kit's page show every component, and are all of them accessible in both themes?

import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import test, { after } from 'node:test';
import { openBrowser, picture, violations } from './page.mjs';

const browser = await openBrowser({ after });
const kit = fileURLToPath(new URL('../../ui/src/kit', import.meta.url));

test('every component stands there in light and in dark, and none has a fault', async (t) => {
  const page = await browser.kit(t);
  const components = readdirSync(kit).flatMap((file) => (file.endsWith('.svelte') ? [file.slice(0, -7)] : []));
  for (const theme of ['light', 'dark']) {
    const shown = await page
      .getByTestId(`theme-${theme}`)
      .locator('[data-component]')
      .evaluateAll((all) => all.map((part) => part.getAttribute('data-component')));
    assert.deepEqual(shown.toSorted(), components.toSorted());
  }
  const grounds = await page.evaluate(() =>
    ['light', 'dark'].map((theme) => getComputedStyle(document.querySelector(`.theme-${theme}`)).backgroundColor),
  );
  assert.equal(new Set(grounds).size, 2, 'each theme has its own colours, whatever the system prefers');
  await picture(page, 'kit');
  assert.deepEqual(await violations(page), []);
});

test('what floats over a theme has its colours', async (t) => {
  const page = await browser.kit(t);
  const grounds = [];
  for (const theme of ['light', 'dark']) {
    await page.getByTestId(`kit-menu-${theme}`).click();
    const menu = page.getByTestId(`theme-${theme}`).getByRole('menu');
    await menu.waitFor();
    grounds.push(await menu.evaluate((box) => getComputedStyle(box).backgroundColor));
    await picture(page, `kit-menu-${theme}`);
    assert.deepEqual(await violations(page), []);
    await page.keyboard.press('Escape');
    await menu.waitFor({ state: 'detached' });
  }
  assert.equal(new Set(grounds).size, 2);
});
