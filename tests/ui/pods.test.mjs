// Can people see a pod tree and rule it: who works where, under which limits, what happened when, starting one, stopping some?

import assert from 'node:assert/strict';
import test, { after } from 'node:test';
import { counted, openBrowser, settled, violations } from './page.mjs';

const browser = await openBrowser({ after });

/** @param {import('node:test').TestContext} t @param {string} session */
async function opened(t, session, { query = 'replay=pods', ...options } = {}) {
  const page = await browser.scene(t, query, { viewport: { width: 1440, height: 900 }, ...options });
  await page.locator(`[data-testid=session-row][data-session=${session}]`).click();
  await page.getByTestId('composer-input').or(page.getByTestId('transcript')).first().waitFor();
  if ((await page.getByTestId('inspector').count()) === 0) await page.getByTestId('inspector-toggle').click();
  await page.getByRole('tab', { name: 'Pods' }).click();
  await page.getByTestId('pods').waitFor();
  return page;
}

const pod = (page, session) => page.locator(`[data-testid=pod][data-session=${session}]`);
const part = (page, name) => page.getByTestId('pods-part').getByText(name, { exact: true }).click();
const limit = (page, key) => page.locator(`[data-testid=limit][data-limit=${key}]`);

test('the tree tells of every pod what it does, where it may write, how it is held to that, and how it ended', async (t) => {
  const page = await opened(t, 'p-main');
  await counted(page.getByTestId('pod'), 9);
  await page.getByTestId('pods-facts').getByText('9 pods · 3 working · 3 ended · $4.37').waitFor();
  assert.equal(await pod(page, 'p-tests').getAttribute('aria-level'), '3');
  assert.equal(await pod(page, 'p-tests').getAttribute('data-state'), 'needsYou');
  await pod(page, 'p-tests').getByText('Writes src/crew/coxswain.rs').waitFor();
  const level = (session) => pod(page, session).getByTestId('pod-level').getAttribute('data-level');
  assert.equal(await level('p-core'), 'enforced');
  assert.equal(await level('p-guide'), 'advised');
  assert.equal(await level('p-audit'), 'partial');
  await pod(page, 'p-audit').getByText('Reads only').waitFor();
  await pod(page, 'p-names').getByText('Completed').waitFor();
  await pod(page, 'p-bench').getByText('Failed').waitFor();
  await pod(page, 'p-old').getByText('Gone without a word').waitFor();
  await page.getByTestId('pods-hide-ended').click();
  await counted(page.getByTestId('pod'), 6);
  assert.deepEqual(await violations(page), []);
});

test('a pod is chosen with the keyboard alone, and its session opens', async (t) => {
  const page = await opened(t, 'p-main');
  await pod(page, 'p-main').focus();
  await page.keyboard.press('ArrowLeft');
  await counted(page.getByTestId('pod'), 1);
  await page.keyboard.press('ArrowRight');
  await counted(page.getByTestId('pod'), 9);
  for (let n = 0; n < 3; n++) await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await page.locator('[data-testid=session-row][data-session=p-core][aria-current=true]').waitFor();
  await page.getByTestId('this-pod').getByText('Spawned by Port the stroke planner').waitFor();
  await page.getByTestId('pod-scope').getByText('src/crew/').waitFor();
  await page.getByTestId('this-pod').getByText('Less what its pods hold').waitFor();
});

test('an advised pod says why; a budget that is used up says so', async (t) => {
  const page = await opened(t, 'p-guide');
  const held = page.getByTestId('pod-confinement');
  await held.getByText('Nothing refuses a write outside the scope').waitFor();
  await held.getByText('The kernel has no Landlock').waitFor();
  assert.equal(await limit(page, 'turns').getAttribute('data-tone'), 'bad');
  await limit(page, 'turns').getByText('used up').waitFor();
  assert.equal(await limit(page, 'costUsd').getAttribute('data-tone'), 'warn');
  assert.match(await limit(page, 'costUsd').textContent(), /\$0\.44\s+of \$0\.50/);
  assert.deepEqual(await violations(page), []);
});

test('a limit is changed while its pods work, with the keyboard; what is no limit, or fails, is said there', async (t) => {
  const page = await opened(t, 'p-guide');
  await limit(page, 'turns').getByTestId('budget-edit').focus();
  await page.keyboard.press('Enter');
  const field = page.getByTestId('budget-field');
  await field.fill('many');
  await page.keyboard.press('Enter');
  await limit(page, 'turns').getByText('A number is needed').waitFor();
  assert.deepEqual(await violations(page), []);
  await page.evaluate(() => (window.replayed.refuses = true));
  await field.fill('40');
  await page.keyboard.press('Enter');
  await limit(page, 'turns').getByText('The ledger cannot be written').waitFor();
  await page.evaluate(() => (window.replayed.refuses = false));
  await page.keyboard.press('Enter');
  await limit(page, 'turns').getByText('of 40').waitFor();
  assert.equal(await limit(page, 'turns').getAttribute('data-tone'), 'plain');
  await limit(page, 'wallSeconds').getByTestId('budget-edit').click();
  assert.equal(await field.inputValue(), '30');
  await page.keyboard.press('Escape');
  await field.waitFor({ state: 'detached' });
  await limit(page, 'wallSeconds').getByTestId('budget-edit').click();
  await field.fill('');
  await page.getByTestId('budget-save').click();
  await limit(page, 'wallSeconds').getByText('of 30').waitFor({ state: 'detached' });
});

test('stopping a pod names all that ends with it, and ends that alone', async (t) => {
  const page = await opened(t, 'p-main');
  await pod(page, 'p-core').focus();
  await page.keyboard.press('Delete');
  await counted(page.getByTestId('stop-list').locator('li'), 2);
  await page.getByTestId('stop-list').getByText('coxswain', { exact: true }).waitFor();
  assert.deepEqual(await violations(page), []);
  await page.keyboard.press('Escape');
  await page.getByTestId('stop-list').waitFor({ state: 'detached' });
  assert.equal(await pod(page, 'p-core').getAttribute('data-state'), 'working');
  await pod(page, 'p-core').focus();
  await page.keyboard.press('Delete');
  await page.getByTestId('stop-confirm').click();
  await page.locator('[data-testid=pod][data-session=p-tests][data-state=stopped]').waitFor();
  assert.equal(await pod(page, 'p-core').getAttribute('data-state'), 'stopped');
  assert.equal(await pod(page, 'p-reach').getAttribute('data-state'), 'idle');
});

test('all pods are stopped: from the tab with the session itself, from the palette without it', async (t) => {
  const page = await opened(t, 'p-main');
  await page.keyboard.press('Control+k');
  await page.getByTestId('palette-input').fill('stop all pods below');
  await page.keyboard.press('Enter');
  await counted(page.getByTestId('stop-list').locator('li'), 5);
  await page.getByTestId('stop-confirm').click();
  await page.locator('[data-testid=pod][data-session=p-guide][data-state=stopped]').waitFor();
  assert.equal(await pod(page, 'p-main').getAttribute('data-state'), 'working');
  await page.getByTestId('pods-stop').click();
  await counted(page.getByTestId('stop-list').locator('li'), 1);
  await page.getByTestId('stop-confirm').click();
  await page.locator('[data-testid=pod][data-session=p-main][data-state=stopped]').waitFor();
});

test('a pod is started by hand; what is refused stands at the field that it is about, with who is in the way', async (t) => {
  const page = await opened(t, 'p-main');
  await page.keyboard.press('Alt+p');
  await page.getByTestId('pod-submit').click();
  await page.getByTestId('name-problem').getByText('needs a name').waitFor();
  await page.getByTestId('pod-name').fill('guide');
  await page.getByTestId('pod-task').fill('Write the second guide.');
  await page.getByTestId('pod-submit').click();
  await page.getByTestId('name-problem').getByText('there is a pod named').waitFor();
  await page.getByTestId('pod-name').fill('second-guide');
  await page.getByTestId('scope-tree').locator('[data-path="docs/"]').click();
  await page.getByTestId('pod-submit').click();
  await page
    .getByTestId('scope-problem')
    .getByText(/which pod .?guide.? \(session p-guide\) holds/)
    .waitFor();
  assert.deepEqual(await violations(page), []);
  await page.getByTestId('scope-remove').click();
  // The rest with the keyboard alone.
  await page.getByTestId('scope-tree').getByRole('treeitem').first().focus();
  for (const key of ['ArrowDown', 'ArrowDown', 'ArrowDown', 'ArrowRight']) await page.keyboard.press(key);
  await page.getByTestId('scope-tree').locator('[data-path="src/lib.rs"]').waitFor();
  for (let n = 0; n < 3; n++) await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  assert.equal(await page.getByTestId('scope-path').inputValue(), 'src/lib.rs');
  await page.getByRole('button', { name: 'Instructions and budget' }).click();
  await page.getByTestId('budget-turns').fill('12');
  await page.getByTestId('budget-wallSeconds').fill('30');
  await page.getByTestId('pod-submit').click();
  await page.getByTestId('start-pod').waitFor({ state: 'detached' });
  const started = await page.evaluate(() => window.replayed.started);
  assert.deepEqual(started.scope, [{ permission: 'write', path: 'src/lib.rs', recursive: false }]);
  assert.equal(started.parent, 'p-main');
  assert.equal(started.budget.turns, 12);
  assert.equal(started.budget.wallSeconds, 1800);
  await page.locator('[data-testid=pod][aria-selected=true]').getByText('second-guide').waitFor();
  await pod(page, 'p-main').click();
  await page.locator('[data-testid=pod-item]').getByText('second-guide').waitFor();
});

test('a pod below one with a scope needs a part of it', async (t) => {
  const page = await opened(t, 'p-core');
  await page.getByTestId('pod-start').click();
  await page.getByTestId('pod-name').fill('helper');
  await page.getByTestId('pod-task').fill('Help.');
  await page.getByTestId('pod-submit').click();
  await page.getByTestId('scope-problem').getByText('stroke-core works within a scope').waitFor();
  await page.getByTestId('scope-add').click();
  await page.getByTestId('scope-path').fill('docs');
  await page.getByTestId('pod-submit').click();
  await page.getByTestId('scope-problem').getByText('is not within the scope of').waitFor();
});

test('a budget that is used up refuses a pod at the budget', async (t) => {
  const page = await opened(t, 'p-main');
  await limit(page, 'pods').getByTestId('budget-edit').click();
  await page.getByTestId('budget-field').fill('5');
  await page.keyboard.press('Enter');
  await limit(page, 'pods').getByText('of 5').waitFor();
  await page.getByTestId('pod-start').click();
  await page.getByTestId('pod-name').fill('one-more');
  await page.getByTestId('pod-task').fill('Do more.');
  await page.getByTestId('pod-submit').click();
  await page.getByTestId('budget-problem').getByText('5 of 5 used').waitFor();
});

test('the time line shows who did what when, is walked with the arrows, and is a list too', async (t) => {
  const page = await opened(t, 'p-main');
  await part(page, 'Time line');
  const moment = (kind, session) => page.locator(`[data-testid=moment][data-kind=${kind}][data-of=${session}]`);
  await counted(moment('spawn', 'p-main'), 7);
  await counted(moment('budgetRefusal', 'p-guide'), 1);
  await counted(moment('foreignWrite', 'p-guide'), 1);
  await counted(moment('end', 'p-bench'), 1);
  await page.locator('[data-testid=moment][tabindex="0"]').focus();
  const at = () => page.evaluate(() => document.activeElement.getAttribute('aria-label'));
  const first = await at();
  await page.keyboard.press('ArrowRight');
  assert.notEqual(await at(), first);
  assert.ok((await page.getByTestId('moment-words').textContent()).trim() === (await at()));
  await page.keyboard.press('End');
  await page.keyboard.press('ArrowUp');
  assert.match(await at(), /^(coxswain|reach-tests)/);
  assert.deepEqual(await violations(page), []);
  await moment('foreignWrite', 'p-guide').focus();
  await page.keyboard.press('Enter');
  await page.locator('[data-testid=session-row][data-session=p-guide][aria-current=true]').waitFor();
  await page.locator('[data-testid=notice][data-code=foreign_write]').waitFor();
  await page.getByTestId('time-look').getByText('List').click();
  await page
    .getByTestId('time-entry')
    .getByText(/Budget refused: turns of the budget/)
    .waitFor();
  assert.deepEqual(await violations(page), []);
  const all = await page.getByTestId('time-entry').count();
  await page.getByTestId('time-span').click();
  await page.getByRole('option', { name: 'Last 15 minutes' }).click();
  await page.waitForFunction((many) => document.querySelectorAll('[data-testid=time-entry]').length < many, all);
});

test('the files say which pod may write where; a chosen path, and a typed one, says who may write there', async (t) => {
  const page = await opened(t, 'p-main');
  await part(page, 'Files');
  const file = (path) => page.getByTestId('scope-files').locator(`[data-path="${path}"]`);
  await file('docs/').getByTestId('holder').getByText('guide').waitFor();
  await file('src/').getByTestId('holder-below').getByText('2 in parts').waitFor();
  await file('').focus();
  for (const key of ['ArrowDown', 'ArrowDown', 'ArrowDown', 'ArrowRight', 'ArrowDown', 'ArrowRight'])
    await page.keyboard.press(key);
  await file('src/crew/coxswain.rs').getByTestId('holder').getByText('coxswain').waitFor();
  await file('src/crew/stroke.rs').getByTestId('holder').getByText('stroke-core').waitFor();
  await file('src/crew/coxswain.rs').click();
  const who = page.getByTestId('who');
  await who.getByText('may write here now').waitFor();
  assert.match(await who.textContent(), /coxswain\s+may write here now.*stroke-core\s+has given it on/s);
  assert.deepEqual(await violations(page), []);
  await page.getByTestId('who-path').fill('README.md');
  await page.keyboard.press('Enter');
  await who.getByText('No pod holds it.').waitFor();
  await who.getByText('works without a scope and may write anywhere').waitFor();
});

test('the transcript shows pods that were started, what other pods said, and whether a write lies inside the scope', async (t) => {
  const page = await opened(t, 'p-main');
  await settled(page);
  await page.locator('[data-testid=user-message][data-from=reach-tests]').waitFor();
  const item = page.locator('[data-testid=pod-item][data-session=p-audit]');
  await item.getByText('Look for callers of the old planner').waitFor();
  await item.getByTestId('pod-item-state').getByText('Working').waitFor();
  await item.getByText('Reads only').waitFor();
  assert.deepEqual(await violations(page), []);
  await item.click();
  await page.locator('[data-testid=session-row][data-session=p-audit][aria-current=true]').waitFor();
  await pod(page, 'p-tests').click();
  const note = page.getByTestId('scope-note');
  await note.getByText('Inside its scope: src/crew/coxswain.rs').waitFor();
  await page.locator('[data-testid=notice][data-code=scope]').getByText('The kernel enforces it').waitFor();
  await page.keyboard.press('Alt+i');
  await page.getByTestId('inbox-request').getByTestId('scope-note').getByText('Inside its scope').waitFor();
  assert.deepEqual(await violations(page), []);
});

test('a new session takes a scope and a budget, folded away until they are wanted', async (t) => {
  const page = await browser.scene(t, 'replay=demo');
  assert.equal(await page.getByTestId('scope-picker').count(), 0);
  await page
    .getByTestId('new-limits')
    .getByRole('button', { name: /No scope/ })
    .click();
  await page.getByTestId('scope-tree').locator('[data-path="docs/"]').click();
  await page.getByTestId('scope-reach').click();
  await page.getByRole('option', { name: /Directly in it/ }).click();
  await page.getByTestId('budget-costUsd').fill('2.50');
  assert.deepEqual(await violations(page), []);
  await page.getByTestId('budget-turns').fill('1.5');
  await page.getByTestId('composer-input').fill('Write the guide');
  await page.getByTestId('composer-send').click();
  await page.getByTestId('budget-problem').getByText('A number is needed').waitFor();
  await page.getByTestId('budget-turns').fill('');
  await page.getByTestId('composer-send').click();
  await page.getByTestId('transcript').waitFor();
  const started = await page.evaluate(() => window.replayed.started);
  assert.deepEqual(started.scope, [{ permission: 'write', path: 'docs/', recursive: false }]);
  assert.equal(started.budget.costUsd, 2.5);
  assert.equal(started.budget.turns, null);
});

for (const colorScheme of ['light', 'dark'])
  test(`no pods, one and fifty fit in ${colorScheme}, wide and narrow`, async (t) => {
    const page = await opened(t, 'p-none', { colorScheme });
    await page.getByTestId('pods-none').getByText('in no pod tree').waitFor();
    await page.locator('[data-testid=session-row][data-session=p-free]').click();
    await page.getByText('It has no pods below it').waitFor();
    assert.deepEqual(await violations(page), []);
    const many = await opened(t, 'm-0', { query: 'replay=pods-many', colorScheme });
    await counted(many.getByTestId('pod'), 50);
    await part(many, 'Time line');
    await many.getByTestId('moment').first().waitFor();
    await many.setViewportSize({ width: 760, height: 600 });
    const wide = await many.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert.ok(wide <= 0, 'nothing is wider than the window');
    assert.deepEqual(await violations(many), []);
  });
