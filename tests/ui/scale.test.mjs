// Does a transcript of a hundred thousand items stay small in the page, and does it stand still where the reader left it? Can every
// row of a million be reached?

import assert from 'node:assert/strict';
import test, { after } from 'node:test';
import { openBrowser, settled, start } from './page.mjs';

const browser = await openBrowser({ after });
const nodes = (page) => page.evaluate(() => document.querySelectorAll('*').length);

test('a hundred thousand items keep a small page, wherever one scrolls', async (t) => {
  const page = await browser.scene(t, 'replay=long');
  await page.locator('[data-session=s-huge]').click();
  await page.locator('[data-item-id="100000.0"]').waitFor();
  assert.equal(await page.getByTestId('jump-latest').count(), 0, 'it opens at its end');
  const most = await page.evaluate(async () => {
    const scroller = document.querySelector('[data-testid=transcript]');
    let most = 0;
    const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
    for (const share of [0.9, 0.5, 0.1, 0, 0.73, 0.25]) {
      scroller.scrollTop = scroller.scrollHeight * share;
      for (let n = 0; n < 10; n++) await frame();
      most = Math.max(most, document.querySelectorAll('*').length);
    }
    return most;
  });
  assert.ok(most < 2500, `${most} elements`);
  await page.evaluate(() => (document.querySelector('[data-testid=transcript]').scrollTop = 0));
  await page.locator('[data-item-id="1.0"]').getByText('Question 0').waitFor();
  await page.getByTestId('jump-latest').click();
  await page.locator('[data-item-id="100000.0"]').waitFor();
  await page.getByTestId('jump-latest').waitFor({ state: 'detached' });
  assert.ok((await nodes(page)) < 2500);
});

test('a reader who scrolled up stays there while the agent streams; at the end the page follows', async (t) => {
  const page = await browser.scene(t, 'replay=long&speed=3');
  await page.locator('[data-session=s-huge]').click();
  await page.locator('[data-item-id="100000.0"]').waitFor();
  await page.getByTestId('composer-input').fill('More');
  await page.keyboard.press('Enter');
  await page.locator('[data-kind=thought]').getByText('Thinking').last().waitFor();
  await page.mouse.move(700, 400);
  await page.mouse.wheel(0, -3000);
  await page.getByTestId('jump-latest').waitFor();
  const topRow = () =>
    page.evaluate(() => {
      const scroller = document.querySelector('[data-testid=transcript]');
      const edge = scroller.getBoundingClientRect().top;
      const rows = [...scroller.querySelectorAll('[data-testid=item]')].map((row) => [
        row.dataset.itemId,
        row.getBoundingClientRect().top - edge,
      ]);
      return rows.filter(([, top]) => top >= 0).sort((a, b) => a[1] - b[1])[0];
    });
  // Rows just above are measured first; then nothing may move any more.
  await page.waitForFunction(async () => {
    const scroller = document.querySelector('[data-testid=transcript]');
    const before = scroller.scrollTop;
    await new Promise((resolve) => setTimeout(resolve, 200));
    return scroller.scrollTop === before;
  });
  const before = await topRow();
  await page.getByTestId('activity').getByText('Waiting for your answer').waitFor();
  assert.deepEqual(await topRow(), before);
  await page.getByTestId('jump-latest').click();
  await page.getByTestId('permission-allow').click();
  await page.getByText('Done: I wrote the summary').waitFor();
  await page.getByTestId('turn-end').last().waitFor();
  const left = await page.evaluate(() => {
    const scroller = document.querySelector('[data-testid=transcript]');
    return scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight;
  });
  assert.ok(left <= 2, `${left} pixels above the end`);
});

test('nothing moves between a press and its release, however much is said meanwhile; then the page follows again', async (t) => {
  const page = await browser.scene(t, 'replay=long&speed=8');
  await page.locator('[data-session=s-huge]').click();
  await settled(page);
  const list = page.getByTestId('transcript');
  const place = () =>
    list.evaluate(({ scrollTop, scrollHeight, clientHeight }) => ({ scrollTop, scrollHeight, clientHeight }));
  await page.locator('[data-item-id="100000.0"]').hover();
  await page.mouse.down();
  const before = await place();
  // By keys alone: the pointer stays where it is.
  await page.getByTestId('composer-input').fill('More');
  await page.getByTestId('composer-input').press('Enter');
  await page.waitForFunction(
    (height) => document.querySelector('[data-testid=transcript]').scrollHeight > height + 200,
    before.scrollHeight,
  );
  assert.equal((await place()).scrollTop, before.scrollTop);
  assert.equal(await page.getByTestId('jump-latest').count(), 0, 'it still stands at its end');
  await page.mouse.up();
  await page.waitForFunction(() => {
    const list = document.querySelector('[data-testid=transcript]');
    return list.scrollHeight - list.scrollTop - list.clientHeight < 2;
  });
});

test('a click counts while the list scrolls', async (t) => {
  const page = await browser.scene(t, 'replay=demo&speed=8');
  await start(page, 'What is here?');
  await page.getByTestId('permission-allow').hover();
  await page.mouse.down();
  await page.evaluate(() => {
    const list = document.querySelector('[data-testid=transcript]');
    let by = 2;
    setInterval(() => list.scrollBy(0, (by = -by)), 20);
    return new Promise((resolve) => list.addEventListener('scroll', resolve, { once: true }));
  });
  await page.mouse.up();
  await page.getByText('Done: I wrote the summary').waitFor();
});

test('a million items open at the last one, and every one can be reached by scrolling and by keys', async (t) => {
  const page = await browser.scene(t, 'replay=million');
  await page.locator('[data-session=s-huge]').click();
  const last = page.locator('[data-item-id="1000000.0"]');
  const isInView = (row) => row.evaluate((row) => row.getBoundingClientRect().bottom <= innerHeight);
  await last.waitFor();
  assert.ok(await isInView(last));
  await page.getByTestId('transcript').focus();
  await page.keyboard.press('Home');
  await page.locator('[data-item-id="1.0"]').getByText('Question 0').waitFor();
  await page.keyboard.press('End');
  await last.waitFor();
  assert.ok(await isInView(last));
  // Upwards in jumps, as one who drags the bar does, rows follow rows without an end before the first.
  const oldest = await page.evaluate(async () => {
    const list = document.querySelector('[data-testid=transcript]');
    const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
    const top = () => Math.min(...[...list.querySelectorAll('[data-row]')].map((row) => Number(row.dataset.row)));
    let oldest = Infinity;
    for (let jumps = 0; oldest > 0 && jumps < 40; jumps++) {
      list.dispatchEvent(new WheelEvent('wheel', { deltaY: -1 }));
      list.scrollTop = 0;
      const before = oldest;
      for (let frames = 0; frames < 60 && !(oldest < before); frames++) {
        await frame();
        oldest = Math.min(oldest, top());
      }
    }
    return oldest;
  });
  assert.equal(oldest, 0);
  await page.getByTestId('jump-latest').click();
  await last.waitFor();
});

/** A turn whose answer repeats a prompt of many words, and so streams for some seconds. */
async function longAnswer(page) {
  await page.locator('[data-session=s-huge]').click();
  await page.locator('[data-item-id="100000.0"]').waitFor();
  await page.getByTestId('composer-input').fill(`${'so many words '.repeat(400)}to the last`);
  await page.keyboard.press('Enter');
  const answer = page.locator('[data-kind=agentMessage] .markdown').filter({ hasText: 'You asked' }).last();
  await answer.waitFor();
  return answer;
}

test('an answer that streams stays what it is in the page when something comes before it', async (t) => {
  const page = await browser.scene(t, 'replay=long&speed=2');
  const answer = await longAnswer(page);
  await answer.evaluate((element) => (element.dataset.before = 'steer'));
  await page.getByTestId('composer-input').fill('Look at the tests too');
  await page.getByTestId('composer-steer').click();
  await page.getByText('steered').waitFor();
  assert.equal(await answer.getAttribute('data-before'), 'steer');
  await answer.getByText('Next I would write a short summary.').waitFor();
  await page.getByTestId('permission-allow').waitFor();
  assert.equal(await answer.getAttribute('data-before'), 'steer', 'finished it is the same too');
});

test('an answer that streams while nobody sees it is drawn when one comes to it', async (t) => {
  const page = await browser.scene(t, 'replay=long');
  const answer = await longAnswer(page);
  await page.mouse.move(700, 400);
  await page.mouse.wheel(0, -6000);
  await page.getByTestId('jump-latest').waitFor();
  const drawn = await answer.evaluate(async (element) => {
    const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
    const isInView = () => element.getBoundingClientRect().top < innerHeight;
    while (isInView()) await frame();
    for (let n = 0; n < 3; n++) await frame();
    const drawn = element.textContent;
    // The agent goes on meanwhile: its pace is made of shorter timers.
    for (let n = 0; n < 15; n++) await new Promise((resolve) => setTimeout(resolve, 24));
    return { before: drawn, after: element.textContent };
  });
  assert.equal(drawn.after.length, drawn.before.length, 'out of view nothing is drawn');
  await page.getByTestId('jump-latest').click();
  await page.waitForFunction(
    ([element, length]) => element.textContent.length > length + 100,
    [await answer.elementHandle(), drawn.before.length],
  );
  await answer.getByText('Next I would write a short summary.').waitFor();
  const whole = await answer.textContent();
  assert.ok(whole.includes(`${'so many words '.repeat(400)}to the last`), 'and all of it is there in the end');
});

test('a long answer that is finished is drawn in leaps, keeps its height, and all of it is there in the end', async (t) => {
  const page = await browser.scene(t, 'replay=essay');
  await page.evaluate(() => {
    const seen = (globalThis.seen = []);
    const look = () => {
      const answer = document.querySelector('[data-kind=agentMessage]');
      const drawn = answer?.querySelectorAll('.prose').length ?? 0;
      if (drawn > 0) seen.push({ drawn, height: answer.offsetHeight });
      requestAnimationFrame(look);
    };
    look();
  });
  await page.locator('[data-session=s-essay]').click();
  await page.getByTestId('transcript').focus();
  await page.keyboard.press('Home');
  await page.waitForFunction(() => globalThis.seen.at(-1)?.drawn === 1500);
  const seen = await page.evaluate(() => globalThis.seen);
  assert.ok(seen[0].drawn < 750, `${seen[0].drawn} of 1500 paragraphs were drawn at once`);
  const [first, last] = [seen[0].height, seen.at(-1).height];
  assert.ok(Math.abs(first / last - 1) < 0.05, `it was ${first} pixels high and is ${last}`);
});

test('words far down in a long answer are found and shown, drawn or not', async (t) => {
  const page = await browser.scene(t, 'replay=essay');
  await page.locator('[data-session=s-essay]').click();
  await settled(page);
  await page.keyboard.press('Control+f');
  await page.getByTestId('find-input').fill('Paragraph 700 of');
  await page.keyboard.press('Enter');
  const found = page.getByText('Paragraph 700 of an answer', { exact: false });
  await found.waitFor();
  await page.waitForFunction(
    (element) => {
      const { top, bottom } = element.getBoundingClientRect();
      return top >= 0 && bottom <= innerHeight;
    },
    await found.elementHandle(),
  );
});
