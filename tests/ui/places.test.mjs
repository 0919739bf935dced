// Are all places reached by palette, keys and the side list, does Escape lead back to where one was, and can everybody use them?

import assert from 'node:assert/strict';
import test, { after } from 'node:test';
import { openBrowser, picture, violations } from './page.mjs';

const browser = await openBrowser({ after });

/** Each place: its frame, the door in the side list, its keys, and what the palette calls it. */
const places = [
  ['search', 'open-search', 'Control+Shift+f', 'Search all sessions'],
  ['usage', 'open-usage', 'Alt+u', 'Open usage'],
  ['sidecars', 'open-sidecars', 'Alt+s', 'Open sidecars'],
  ['debug-log', 'open-debugLog', 'Alt+g', 'Open debug log'],
  ['doctor', 'doctor-open', 'Alt+d', 'Open doctor'],
  ['settings', 'open-settings', 'Control+,', 'Open settings'],
];

const focused = (page) => page.evaluate(() => document.activeElement?.getAttribute('data-testid'));

for (const [frame, door, keys, title] of places)
  test(`${frame} has a door, keys and a line of the palette, and Escape leads back`, async (t) => {
    const page = await browser.scene(t, 'replay=states');
    await page.locator('[data-session=s-idle]').click();
    const field = page.getByTestId('composer-input');
    await field.fill('half a sentence');
    const place = page.getByTestId(frame);

    await page.keyboard.press(keys);
    await place.waitFor();
    await page.waitForFunction(
      (id) => document.querySelector(`[data-testid="${id}"]`)?.contains(document.activeElement),
      frame,
    );
    await page.keyboard.press('Escape');
    await place.waitFor({ state: 'detached' });
    await page.waitForFunction(() => document.activeElement?.getAttribute('data-testid') === 'composer-input');
    assert.equal(await field.inputValue(), 'half a sentence');

    await page.keyboard.press('Control+k');
    await page.getByTestId('palette-input').fill(title);
    await page.keyboard.press('Enter');
    await place.waitFor();
    await page.getByTestId('place-close').click();
    await place.waitFor({ state: 'detached' });

    await page.getByTestId(door).click();
    await place.waitFor();
    assert.equal(await page.getByTestId(door).getAttribute('aria-pressed'), 'true');
    await page.locator('[data-session=s-idle]').click();
    await place.waitFor({ state: 'detached' });
    await page.keyboard.press('Control+[');
    await place.waitFor();
  });

test('a reload shows the same place, and a place leads to the next and back', async (t) => {
  const page = await browser.scene(t, 'replay=states');
  await page.keyboard.press('Alt+d');
  await page.getByTestId('doctor').waitFor();
  await page.reload();
  await page.getByTestId('doctor').waitFor();
  await page.keyboard.press('Alt+u');
  await page.getByTestId('usage').waitFor();
  await page.keyboard.press('Escape');
  await page.getByTestId('doctor').waitFor();
  await page.keyboard.press('Escape');
  await page.getByTestId('doctor').waitFor({ state: 'detached' });
  assert.notEqual(await focused(page), null, 'the keyboard is somewhere');
});

test('what stands behind a place takes no keys', async (t) => {
  const page = await browser.scene(t, 'replay=states');
  await page.locator('[data-session=s-ask]').click();
  await page.getByTestId('permission-allow').waitFor();
  await page.keyboard.press('Alt+g');
  await page.getByTestId('log-line').first().waitFor();
  await page.keyboard.press('Alt+y');
  await page.keyboard.press('Control+f');
  assert.equal(await focused(page), 'log-text', 'Ctrl F means the place in front');
  await page.keyboard.press('Escape');
  await page.getByTestId('permission-allow').waitFor();
});

for (const colorScheme of ['light', 'dark'])
  test(`no place has a fault that assistive technology would trip over, in ${colorScheme}`, async (t) => {
    const page = await browser.scene(t, 'replay=states', { colorScheme, reducedMotion: 'reduce' });
    const ready = {
      search: async () => {
        await page.getByTestId('search-input').fill('rename');
        await page.getByTestId('search-hit').first().waitFor();
      },
      usage: () => page.getByTestId('usage-row').first().waitFor(),
      'debug-log': async () => {
        await page.getByTestId('log-line').first().waitFor();
        await page.getByTestId('log-line').last().locator('button').first().click();
      },
      doctor: async () => {
        await page.getByTestId('doctor-verdict').waitFor();
        await page.getByTestId('doctor-limits').locator('summary').click();
      },
      settings: () => page.getByTestId('setting').first().waitFor(),
      sidecars: () => page.getByTestId('sidecars-empty').waitFor(),
    };
    for (const [frame, , keys] of places) {
      await page.keyboard.press(keys);
      await page.getByTestId(frame).waitFor();
      await ready[frame]();
      await picture(page, `place-${frame}-${colorScheme}`);
      assert.deepEqual(await violations(page), [], frame);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert.ok(wide <= 0, `${frame}: nothing is wider than the window`);
    }
  });

test('doctor says how each agent was found, what is wrong, and looks again', async (t) => {
  const page = await browser.scene(t, 'replay=states');
  await page.keyboard.press('Alt+d');
  const doctor = page.getByTestId('doctor');
  const claude = doctor.locator('[data-provider=claude]');
  await claude.getByText("~/.local/bin/claude, in the login shell's PATH").waitFor();
  await claude.getByText('Tested', { exact: true }).waitFor();
  await doctor.locator('[data-provider=opencode]').getByText('Not tested').waitFor();
  const missing = doctor.locator('[data-provider=codex-acp]');
  const words = (await missing.textContent()) ?? '';
  assert.match(words, /codex-acp was not found in any of 23 places\./, 'a name keeps its spelling');
  await missing.getByText('Where it was looked for (4)').click();
  await missing.getByText('/opt/homebrew/bin/codex-acp').waitFor();
  await doctor.getByText('Landlock ABI 6').waitFor();
  await doctor.getByText('3 sockets').waitFor();
  assert.equal(await doctor.getByTestId('doctor-folder').count(), 6);
  await page.keyboard.press('Control+r');
  await page.getByTestId('status-line').getByText('Everything that is needed is here').waitFor();
});

test('a first visit to a machine without a runtime says which to install first', async (t) => {
  const page = await browser.scene(t, 'replay=no-runtime&speed=4');
  const first = page.getByTestId('first-run');
  await first.getByRole('heading', { level: 1, name: 'Two things are missing' }).waitFor();
  assert.equal(await page.getByTestId('demo-start').count(), 0, 'nothing is offered that cannot start');
  const runtimes = page.getByTestId('missing-runtime');
  assert.deepEqual(await runtimes.locator('strong').allTextContents(), ['Node', 'Deno', 'Bun']);
  const places = await Promise.all(
    [runtimes.first(), page.getByTestId('missing-agent').first()].map((one) => one.boundingBox()),
  );
  assert.ok(places[0].y < places[1].y, 'the runtime comes before the agents');
  await page.getByRole('button', { name: 'Copy the command to install Deno' }).click();
  await page.getByTestId('check-again').click();
  await page.getByTestId('status-line').getByText('Still no agent and no runtime found').waitFor();
  for (const theme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme: theme });
    await picture(page, `no-runtime-${theme}`);
    assert.deepEqual(await violations(page), []);
  }
});

test('a first visit is short, begins at its top, and the demo is one click away', async (t) => {
  const page = await browser.scene(t, 'replay=first-run&speed=4');
  await page.getByTestId('first-run').waitFor();
  const top = await page.getByRole('heading', { level: 1 }).boundingBox();
  assert.ok(top && top.y > 40 && top.y < 200, 'the page opens at its beginning');
  const shown = await page.getByTestId('missing-agent').evaluateAll((all) => all.map((one) => one.dataset.provider));
  assert.ok(shown.length >= 4 && !shown.some((id) => id.endsWith('-acp')), 'adapters are shown by doctor alone');
  await page.getByRole('button', { name: 'Everything that was looked for' }).click();
  await page.locator('[data-provider=codex-acp]').waitFor();
  await page.keyboard.press('Escape');
  assert.equal(await page.getByTestId('demo-example').count(), 2, 'three things to try');
  await page.getByTestId('demo-start').click();
  await page.getByTestId('transcript').waitFor();
});
