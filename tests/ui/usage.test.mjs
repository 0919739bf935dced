// Does usage show what was used, as a chart and with the same figures as a table?

import assert from 'node:assert/strict';
import test, { after } from 'node:test';
import { counted, openBrowser } from './page.mjs';

const browser = await openBrowser({ after });

/** A Friday: agents rest at weekends, and which day stands in the middle must not depend on when the test runs. */
const NOW = new Date('2026-11-20T12:00:00Z');

async function usage(t, query = 'replay=states') {
  const page = await browser.scene(t, query, { now: NOW });
  await page.keyboard.press('Alt+u');
  return page;
}

/** Dollars of a text. */
const dollars = (text) => Number(/\$([\d.]+)/.exec(text ?? '')?.[1]);

test('the table has the figures of the chart, for the time that is chosen', async (t) => {
  const page = await usage(t);
  await page.getByTestId('usage-row').first().waitFor();
  const bars = page.getByTestId('usage-chart').locator('svg g');
  assert.equal(await bars.count(), 30);
  await page.getByTestId('usage-span').getByText('7 days').click();
  await counted(bars, 7);
  const rows = await page.getByTestId('usage-row').locator('td:last-child').allTextContents();
  const sum = await page.locator('tfoot td').last().textContent();
  const difference = Math.abs(rows.reduce((all, text) => all + dollars(text), 0) - dollars(sum));
  assert.ok(difference < 0.05 * rows.length, `${rows.join(' ')} make ${sum}`);
  const label = await page.getByTestId('usage-chart').locator('svg').getAttribute('aria-label');
  assert.match(label ?? '', /^Cost of each of 7 days\. The most on .+: \$/);
});

test('it is divided by agent, folder, model and session; a session of this folder opens', async (t) => {
  const page = await usage(t);
  await page.getByTestId('usage-row').first().waitFor();
  for (const [by, found] of [
    ['Agent', 'Claude Code'],
    ['Folder', 'tides'],
    ['Model', 'sonnet-5'],
    ['Session', 'Port the parser to the new lexer'],
  ]) {
    await page.getByTestId('usage-by').getByText(by, { exact: true }).click();
    await page.getByTestId('usage-row').getByText(found, { exact: true }).first().waitFor();
  }
  await page.getByTestId('usage-metric').getByText('Tokens').click();
  await page.getByRole('heading', { name: 'Tokens per day' }).waitFor();
  await page.getByText(/told no cost for\s+\d+ turns/).waitFor();
});

test('keys alone choose the time and the table', async (t) => {
  const page = await usage(t);
  await page.getByTestId('usage-row').first().waitFor();
  await page.waitForFunction(() => document.activeElement?.textContent === 'Usage');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Tab');
  await page.keyboard.press('ArrowRight');
  assert.equal(await page.getByTestId('usage-span').getAttribute('data-value'), '90');
  await page.keyboard.press('Tab');
  await page.keyboard.press('ArrowRight');
  await page.getByRole('heading', { name: 'Tokens per day' }).waitFor();
});

test('pointing at a day tells its parts', async (t) => {
  const page = await usage(t);
  await page.getByTestId('usage-row').first().waitFor();
  const tip = page.getByTestId('chart-tip').getByText('Claude Code');
  await page.getByTestId('usage-chart').locator('svg').hover();
  await tip.waitFor();
});

test('nothing used, an index that is being built and one that cannot be used are told', async (t) => {
  const empty = await usage(t, 'replay=states&archive=empty');
  await empty.getByTestId('usage-empty').waitFor();
  const building = await usage(t, 'replay=states&archive=building');
  await building.getByTestId('usage-building').getByText('214 sessions').waitFor();
  const broken = await usage(t, 'replay=states&archive=broken');
  await broken.getByTestId('usage-problem').getByText('permission denied').waitFor();
});

test('what is chosen stays chosen over a reload', async (t) => {
  const page = await usage(t);
  await page.getByTestId('usage-span').getByText('90 days').click();
  await page.reload();
  await page.getByTestId('usage-row').first().waitFor();
  assert.equal(await page.getByTestId('usage-span').getAttribute('data-value'), '90');
});
