// Does the composer help to say it: names and commands that are completed, files that go with a prompt, a queue that can be changed,
// words that tell what will happen, rules that are made with an answer; with the keyboard alone, and in both themes?

import assert from 'node:assert/strict';
import test, { after } from 'node:test';
import { openBrowser, picture, start, violations } from './page.mjs';

const browser = await openBrowser({ after });
const SPEED = 'replay=demo&speed=4';

/** A 1 by 1 image. */
const DOT = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

/** @param {import('playwright-core').Page} page */
const input = (page) => page.getByTestId('composer-input');

/** An open session that rests. @param {import('node:test').TestContext} t */
async function resting(t) {
  const page = await browser.scene(t, 'replay=states&speed=4');
  await page.locator('[data-testid=session-row][data-state=idle]').first().click();
  await page.getByTestId('composer-send').waitFor();
  return page;
}

/**
 * Files on the page's own clipboard, or dropped on a part of it.
 *
 * @param {import('playwright-core').Page} page
 * @param {'paste' | 'drop'} how
 * @param {{ name: string, type: string, base64?: string, size?: number }[]} files
 */
async function give(page, how, files) {
  await page.getByTestId('composer-input').evaluate(
    (field, [how, files]) => {
      const data = new DataTransfer();
      for (const { name, type, base64, size } of files) {
        const bytes = base64 ? Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0)) : new Uint8Array(size);
        data.items.add(new File([bytes], name, { type }));
      }
      const about = { bubbles: true, cancelable: true };
      const events =
        how === 'paste'
          ? [new ClipboardEvent('paste', { ...about, clipboardData: data })]
          : ['dragenter', 'dragover', 'drop'].map((type) => new DragEvent(type, { ...about, dataTransfer: data }));
      for (const event of events) field.dispatchEvent(event);
    },
    [how, files],
  );
}

test('a file is named with @, by the keyboard alone, and the prompt reads on', async (t) => {
  const page = await resting(t);
  await input(page).pressSequentially('Look at @lib');
  const option = page.getByTestId('completion').filter({ hasText: 'src/lib.rs' });
  await option.waitFor();
  assert.equal(await input(page).getAttribute('aria-autocomplete'), 'list');
  const active = await input(page).getAttribute('aria-activedescendant');
  assert.equal(await page.locator(`[id="${active}"]`).getAttribute('aria-selected'), 'true');
  assert.equal(await input(page).getAttribute('aria-controls'), await page.getByRole('listbox').getAttribute('id'));
  assert.deepEqual(await violations(page), []);
  await page.keyboard.press('Enter');
  assert.equal(await input(page).inputValue(), 'Look at @src/lib.rs ');
  await page.getByTestId('completions').waitFor({ state: 'detached' });
  await page.keyboard.type('and at @guide');
  await page.getByTestId('completion').first().waitFor();
  await page.keyboard.press('Tab');
  assert.equal(await input(page).inputValue(), 'Look at @src/lib.rs and at @"docs/rowing guide.md" ');
});

test('a folder goes on into it, arrows go round, and Escape leaves the words alone', async (t) => {
  const page = await resting(t);
  await input(page).pressSequentially('@');
  const rows = page.getByTestId('completion');
  await rows.first().waitFor();
  const first = await rows.first().textContent();
  await page.keyboard.press('ArrowUp');
  assert.equal(await rows.last().getAttribute('aria-selected'), 'true');
  await page.keyboard.press('ArrowDown');
  assert.equal(await rows.filter({ hasText: first }).first().getAttribute('aria-selected'), 'true');
  await page.keyboard.type('crew');
  await rows.filter({ hasText: 'src/crew/' }).first().waitFor();
  await page.keyboard.press('Enter');
  assert.equal(await input(page).inputValue(), '@src/crew/');
  await rows.filter({ hasText: 'src/crew/stroke.rs' }).waitFor();
  await page.keyboard.press('Escape');
  await page.getByTestId('completions').waitFor({ state: 'detached' });
  assert.equal(await input(page).inputValue(), '@src/crew/');
  await page.keyboard.type('str');
  assert.equal(await page.getByTestId('completions').count(), 0, 'closed is closed');
});

test('other sessions can be named, the own one not', async (t) => {
  const page = await resting(t);
  const own = await page.locator('h1').first().textContent();
  await input(page).pressSequentially('Go on as in @');
  const sessions = page.getByRole('group', { name: 'Sessions' }).getByTestId('completion');
  await sessions.first().waitFor();
  assert.ok((await sessions.allTextContents()).every((words) => !words.includes(own)));
  await sessions.first().click();
  assert.match(await input(page).inputValue(), /^Go on as in @session:s-\S+ $/);
});

test("the agent's own commands are completed with what they do, at the beginning only", async (t) => {
  const page = await resting(t);
  assert.match((await input(page).getAttribute('placeholder')) ?? '', /\/ for commands/);
  await input(page).pressSequentially('/co');
  const rows = page.getByTestId('completion');
  await rows.first().waitFor();
  assert.deepEqual(
    (await rows.allTextContents()).map((words) => words.replace(/\s+/g, ' ').trim()),
    [
      '/compact [what to keep] Summarise the conversation and go on with the summary',
      '/context What the context is filled with',
    ],
  );
  await picture(page, 'composer-commands');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  assert.equal(await input(page).inputValue(), '/context ');
  await input(page).fill('');
  await input(page).pressSequentially('say /co');
  assert.equal(await page.getByTestId('completions').count(), 0);
});

test('models are those that the running agent offers', async (t) => {
  const page = await resting(t);
  await page.getByTestId('model-select').click();
  const option = page.getByTestId('model-select-option').filter({ hasText: 'Opus 5' });
  await option.getByText('For hard problems').waitFor();
  await option.click();
  await page.locator('[data-testid=model-select][data-value=opus-5]').waitFor();
});

test('images and files are pasted, dropped, chosen, removed, kept over a reload, and go with the prompt', async (t) => {
  const page = await resting(t);
  await give(page, 'paste', [{ name: 'lamp.png', type: 'image/png', base64: DOT }]);
  await page.locator('[data-testid=attachment] img').waitFor();
  await give(page, 'drop', [
    { name: 'notes.txt', type: 'text/plain', base64: btoa('hello') },
    { name: 'gone.txt', type: 'text/plain', base64: btoa('x') },
  ]);
  await page.evaluate(() => {
    window.replayed.picked = [
      { path: '/data/film.mov', name: 'film.mov', mimeType: 'application/octet-stream', bytes: 4_000_000_000 },
    ];
  });
  await page.getByTestId('attach').click();
  await page.getByTestId('attachment').filter({ hasText: 'film.mov' }).waitFor();
  await page.getByRole('button', { name: 'Remove gone.txt' }).click();
  await input(page).fill('What is this?');
  assert.deepEqual(await violations(page), []);
  await picture(page, 'composer-attachments');
  await page.reload();
  await page.getByTestId('attachment').filter({ hasText: 'notes.txt' }).waitFor();
  assert.equal(await input(page).inputValue(), 'What is this?');
  assert.equal(await page.getByTestId('attachment').count(), 3);
  await input(page).press('Enter');
  await page.locator('[data-kind=userMessage]').last().getByTestId('attached').first().waitFor();
  const sent = await page.evaluate(() =>
    window.replayed.attached.map(({ name, path }) => [name, path.split('/').at(-1)]),
  );
  assert.deepEqual(sent, [
    ['lamp.png', 'lamp.png'],
    ['notes.txt', 'notes.txt'],
    ['film.mov', 'film.mov'],
  ]);
  assert.equal(await page.getByTestId('attachment').count(), 0, 'the draft is empty again');
  const shown = page.locator('[data-kind=userMessage]').last().getByTestId('attached');
  assert.deepEqual(await shown.evaluateAll((files) => files.map((file) => file.dataset.kind)), [
    'image',
    'file',
    'file',
  ]);
});

test('an image in the transcript opens in its size', async (t) => {
  const page = await resting(t);
  await give(page, 'paste', [{ name: 'lamp.png', type: 'image/png', base64: DOT }]);
  await page.locator('[data-testid=attachment] img').waitFor();
  await input(page).fill('Look');
  await input(page).press('Enter');
  await page.getByTestId('composer-stop').click();
  await page.locator('[data-testid=turn-end][data-reason=interrupted]').last().waitFor();
  await page.locator('[data-testid=attached] img').waitFor();
  await picture(page, 'transcript-attached');
  await page.getByRole('button', { name: 'Show lamp.png' }).click();
  await page.getByTestId('attached-whole').waitFor();
  await page.keyboard.press('Escape');
  await page.getByTestId('attached-whole').waitFor({ state: 'detached' });
});

test('what is too large says so and what to do, and costs nothing else', async (t) => {
  const page = await resting(t);
  await give(page, 'drop', [
    { name: 'film.mov', type: 'video/quicktime', size: 21 * 1024 * 1024 },
    { name: 'notes.txt', type: 'text/plain', base64: btoa('hello') },
  ]);
  await page.getByTestId('attachment').filter({ hasText: 'notes.txt' }).waitFor();
  await give(page, 'drop', [{ name: 'film.mov', type: 'video/quicktime', size: 21 * 1024 * 1024 }]);
  await page
    .getByTestId('attachment-error')
    .getByText('film.mov has 21 MiB; 20 MiB can be pasted or dropped')
    .waitFor();
  assert.equal(await page.getByTestId('attachment').count(), 1);
  assert.deepEqual(await violations(page), []);
});

test('pasted words are words, also where a picture of them comes along', async (t) => {
  const page = await resting(t);
  const prevented = await input(page).evaluate((field) => {
    const data = new DataTransfer();
    data.setData('text/plain', 'a\tb');
    data.items.add(new File(['x'], 'cells.png', { type: 'image/png' }));
    return !field.dispatchEvent(new ClipboardEvent('paste', { bubbles: true, cancelable: true, clipboardData: data }));
  });
  assert.equal(prevented, false);
  assert.equal(await page.getByTestId('attachment').count(), 0);
});

test('what could not be sent comes back with its files', async (t) => {
  const page = await resting(t);
  await give(page, 'paste', [{ name: 'lamp.png', type: 'image/png', base64: DOT }]);
  await page.getByTestId('attachment').waitFor();
  await input(page).fill('demo:reject but keep this');
  await input(page).press('Enter');
  await page.getByTestId('composer-error').waitFor();
  assert.equal(await input(page).inputValue(), 'demo:reject but keep this');
  assert.equal(await page.getByTestId('attachment').count(), 1);
});

test('files go behind a running turn, not into it', async (t) => {
  const page = await browser.scene(t, 'replay=demo');
  await start(page, 'Long work');
  await page.getByTestId('composer-steer').waitFor();
  await give(page, 'paste', [{ name: 'lamp.png', type: 'image/png', base64: DOT }]);
  await page.getByTestId('attachment').waitFor();
  assert.equal(await page.getByTestId('composer-steer').count(), 0);
  await input(page).fill('And this picture');
  await input(page).press('Enter');
  const queued = page.getByTestId('queued-prompt');
  await queued.getByText('And this picture').waitFor();
  await queued.getByText('attached').waitFor();
});

test('a queued prompt is changed in its place; its words are not lost when it goes meanwhile', async (t) => {
  const page = await browser.scene(t, 'replay=demo');
  await start(page, 'Long work');
  await page.getByTestId('composer-stop').waitFor();
  for (const words of ['Second', 'Third']) {
    await input(page).fill(words);
    await page.getByTestId('composer-queue').click();
    await page.getByTestId('queued-prompt').filter({ hasText: words }).waitFor();
  }
  await page.getByTestId('queued-edit').first().click();
  await page.getByTestId('queued-words').fill('Second, but smaller');
  assert.deepEqual(await violations(page), []);
  await page.getByTestId('queued-words').press('Enter');
  await page.getByTestId('queued-prompt').first().getByText('Second, but smaller').waitFor();
  await page.getByTestId('composer-stop').click();
  const goOn = page.getByTestId('queue-go-on');
  await goOn.waitFor();
  await page.getByText('These prompts wait: the turn was interrupted.').waitFor();
  assert.match((await input(page).getAttribute('placeholder')) ?? '', /before the queue goes on/);
  await page.getByTestId('queued-edit').first().click();
  await page.getByTestId('queued-words').fill('Half written');
  await goOn.click();
  await page.locator('[data-kind=userMessage]').getByText('Second, but smaller').waitFor();
  await page.waitForFunction(
    () => document.querySelector('[data-testid=composer-input]')?.value === 'Half written',
    undefined,
    { timeout: 5000 },
  );
  assert.equal(await page.getByTestId('queued-prompt').count(), 1);
});

test('while a retry waits the composer says what a prompt would do', async (t) => {
  const page = await browser.scene(t, 'replay=troubles&speed=4');
  await page.locator('[data-session=t-retry]').click();
  await page.getByTestId('activity').getByText('Trying again').waitFor();
  assert.match((await input(page).getAttribute('placeholder')) ?? '', /call off the retry/);
  assert.equal(await page.getByTestId('composer-steer').count(), 0);
  await page.getByTestId('composer-send').getByText('Send instead').waitFor();
  await input(page).fill('Do something else');
  await input(page).press('Enter');
  await page.locator('[data-kind=userMessage]').getByText('Do something else').waitFor();
  await page.getByTestId('activity').getByText('Trying again').waitFor({ state: 'detached' });
});

test('a new session begins with files and with names that were completed', async (t) => {
  const page = await browser.scene(t, SPEED);
  await give(page, 'paste', [{ name: 'lamp.png', type: 'image/png', base64: DOT }]);
  await page.locator('[data-testid=attachment] img').waitFor();
  await input(page).pressSequentially('Draw it like @read');
  await page.getByTestId('completion').filter({ hasText: 'README.md' }).waitFor();
  assert.deepEqual(await violations(page), []);
  await picture(page, 'new-session-completion');
  await page.keyboard.press('Enter');
  await page.keyboard.press('Enter');
  await page.locator('[data-kind=userMessage]').getByText('Draw it like @README.md').waitFor();
  await page.getByTestId('attached').waitFor();
});

test('"always" says what it would allow; the rule is listed and can be taken back', async (t) => {
  const page = await browser.scene(t, SPEED);
  await start(page, 'What is here?');
  await page.getByTestId('permission-session').waitFor();
  await page.getByText('Always allow write_file on files in ~/src/oars').waitFor();
  assert.deepEqual(await violations(page), []);
  await picture(page, 'permission-always');
  await page.getByTestId('permission-session').click();
  await page.getByTestId('answered-by').getByText('from now on in this session: write_file on files').waitFor();
  await page.getByTestId('inspector-toggle').click();
  const rule = page.locator('[data-testid=rule][data-reach=session]');
  await rule.waitFor();
  assert.deepEqual(await violations(page), []);
  await picture(page, 'rules');
  await rule.getByTestId('rule-forget').click();
  await rule.waitFor({ state: 'detached' });
  await page.getByTestId('policy-select').click();
  await page.getByTestId('policy-select-option').filter({ hasText: 'Always denied' }).click();
  await page.locator('[data-testid=policy-select][data-value=deny]').waitFor();
});

test('a rule for the workspace is made with the keyboard and stands in the details', async (t) => {
  const page = await browser.scene(t, SPEED);
  await start(page, 'What is here?');
  await page.getByTestId('permission-workspace').focus();
  await page.keyboard.press('Enter');
  await page.getByTestId('answered-by').getByText('from now on in this workspace').waitFor();
  await page.getByTestId('inspector-toggle').click();
  await page.locator('[data-testid=rule][data-reach=workspace]').waitFor();
});

for (const colorScheme of ['light', 'dark']) {
  test(`the composer with everything in it, ${colorScheme}`, async (t) => {
    const page = await browser.scene(t, 'replay=demo', { colorScheme, viewport: { width: 1000, height: 760 } });
    await start(page, 'Long work');
    await page.getByTestId('composer-stop').waitFor();
    await input(page).fill('Then look at the tests');
    await page.getByTestId('composer-queue').click();
    await page.getByTestId('queued-prompt').waitFor();
    await give(page, 'paste', [
      { name: 'lamp.png', type: 'image/png', base64: DOT },
      { name: 'a very long name of a file that somebody gave it once.txt', type: 'text/plain', base64: btoa('x') },
    ]);
    await page.getByTestId('attachment').nth(1).waitFor();
    await input(page).pressSequentially('Compare with @src');
    await page.getByTestId('completion').first().waitFor();
    assert.deepEqual(await violations(page), []);
    await picture(page, `composer-${colorScheme}`);
  });
}
