// Can one see how each sidecar stands, decide about it knowing exactly what would run, call its tools, and share the servers one has?

import assert from 'node:assert/strict';
import test, { after } from 'node:test';
import { counted, openBrowser, picture, violations } from './page.mjs';

const browser = await openBrowser({ after });

/** Opens the place over a scene. */
async function sidecars(t, query = 'replay=sidecars', options = {}) {
  const page = await browser.scene(t, query, { reducedMotion: 'reduce', ...options });
  await page.keyboard.press('Alt+s');
  await page.getByTestId('sidecars').waitFor();
  return page;
}

const row = (page, name) => page.locator(`[data-testid=sidecar][data-name="${name}"]`);
const detail = (page, name) => page.locator(`[data-testid=sidecar-detail][data-name="${name}"]`);

/** Looks at one sidecar. */
async function look(page, name) {
  await row(page, name).click();
  await detail(page, name).waitFor();
}

/** What the pretended owner was told. */
const told = (page) => page.evaluate(() => window.replayed.sidecars.told);

/** Makes a sidecar another one behind the page's back. */
const change = (page, name, what) =>
  page.evaluate(([name, what]) => window.replayed.sidecars.change(name, what), [name, what]);

test('each stands in its group with its state, why, and what it uses', async (t) => {
  const page = await sidecars(t);
  const groups = await page
    .locator('[data-group]')
    .evaluateAll((all) => all.map((one) => [one.dataset.group, one.querySelectorAll('[data-testid=sidecar]').length]));
  assert.deepEqual(groups, [
    ['asks', 2],
    ['workspace', 3],
    ['own', 6],
  ]);
  const words = async (name) => (await row(page, name).textContent()).replace(/\s+/g, ' ').trim();
  assert.match(await words('staging-db'), /Ready · 7 tools.*1 call.*48.2 MB/);
  assert.match(await words('lint'), /Failed to build: try 4 (in \d+ s|follows)/);
  assert.match(await words('release'), /Needs your trust/);
  assert.match(await words('translate'), /Ready · 3 tools.*change failed/);
  assert.match(await words('browser'), /Disconnected: it closed its connection/);
  assert.match(await words('broken'), /Manifest cannot be read/);
  assert.match(await words('git'), /Not started: it starts with the first use/);
  assert.match(await words('notes'), /Stopped: until you start it/);
  assert.match(await words('tickets'), /Failed to connect: not tried again by itself/);
});

test('a change shows at once, and one that appears, too', async (t) => {
  const page = await sidecars(t);
  await look(page, 'git');
  await page.getByTestId('sidecar-state').getByText('Not started').waitFor();
  await change(page, 'git', { state: { type: 'connected', tools: 2 }, rss: 30_000_000, cpuMs: 2100, pid: 77 });
  await page.getByTestId('sidecar-state').getByText('Ready').waitFor();
  await page.getByTestId('sidecar-uses').getByText('30 MB · 2.1 s of processor time · process 77').waitFor();
  await page.evaluate(() => {
    const view = {
      name: 'newcomer',
      folder: '~/src/oars/.outrigger/sidecars/newcomer',
      description: '',
      share: 'machine',
    };
    const rest = { tools: [], refusedTools: [], rss: 0, cpuMs: 0, calls: 0, users: [] };
    window.replayed.sidecars.add({ ...view, ...rest, trust: { type: 'trusted' }, state: { type: 'idle' } });
  });
  await row(page, 'newcomer').waitFor();
  await page.keyboard.press('Escape');
  await page.getByTestId('sidecars').waitFor({ state: 'detached' });
  await page.waitForFunction(() => !window.replayed.sidecars.isWatched);
});

test('what failed says why with the end of its output; what failed to reload says what serves', async (t) => {
  const page = await sidecars(t);
  await look(page, 'lint');
  const failure = page.getByTestId('sidecar-failure');
  await failure.getByText('ended with exit code 101').waitFor();
  await failure.getByText('failed to resolve: use of undeclared type').waitFor();
  await look(page, 'translate');
  const reload = page.getByTestId('reload-failed');
  await reload.getByText('The earlier build serves.').waitFor();
  await reload.getByText("error TS2322: Type 'string'").waitFor();
  await look(page, 'broken');
  await page.getByTestId('sidecar-error').getByText('line 3').waitFor();
  assert.equal(await page.getByTestId('sidecar-start').isDisabled(), true);
});

test('the question of trust shows every word that would run, and the answer is to exactly that', async (t) => {
  const page = await sidecars(t);
  await look(page, 'release');
  const question = page.getByTestId('trust-question');
  const steps = await question
    .getByTestId('trust-build')
    .evaluateAll((all) => all.map((step) => [...step.querySelectorAll('.word')].map((word) => word.textContent)));
  assert.deepEqual(steps, [
    ['npm', 'ci', '--ignore-scripts'],
    ['npm', 'run', 'build'],
  ]);
  const run = await question.getByTestId('trust-run').locator('.word').allTextContents();
  assert.deepEqual(run, ['node', 'dist/server.mjs', '--notes', 'Release notes of ${workspace}']);
  assert.match(await question.getByTestId('trust-passes').textContent(), /SSH_AUTH_SOCK,\s+GPG_TTY/);
  assert.match(await question.getByTestId('trust-secrets').textContent(), /NPM_TOKEN from keyring:npm/);
  assert.match(
    await question.getByTestId('trust-manifest').textContent(),
    /^description = "Cuts a release.*keyring:npm" }\n$/s,
  );
  assert.equal(await page.getByTestId('sidecar-start').isDisabled(), true, 'nothing runs before');

  await page.getByTestId('trust-yes').click();
  await question.waitFor({ state: 'detached' });
  assert.deepEqual((await told(page)).trusted, ['release h-release true']);
  await page.getByTestId('status-line').getByText('release is trusted').waitFor();
  await page.getByTestId('sidecar-trust').getByText('You trusted exactly this').waitFor();

  await page.getByTestId('sidecar-more').click();
  await page.getByTestId('sidecar-distrust').click();
  await question.waitFor();
  assert.deepEqual((await told(page)).trusted.at(-1), 'release  false');
});

test('what changes while it is looked at is not trusted by accident', async (t) => {
  const page = await sidecars(t);
  await look(page, 'docs-search');
  await page.getByTestId('trust-question').getByText('It has changed since').waitFor();
  const other = {
    name: 'docs-search',
    folder: '~/x',
    build: [],
    run: ['curl', 'evil.example'],
    passes: [],
    secrets: [],
  };
  const question = { ...other, manifest: 'run = "curl evil.example"\n', hash: 'h-evil' };
  await change(page, 'docs-search', { trust: { type: 'needed', changed: true, question } });
  await page.getByTestId('trust-outdated').waitFor();
  assert.equal(await page.getByTestId('trust-yes').isDisabled(), true);
  const shown = await page.getByTestId('trust-run').locator('.word').allTextContents();
  assert.deepEqual(shown, ['uv', 'run', 'serve.py', '--listen', '0.0.0.0'], 'it is not replaced under the eyes');
  await page.getByTestId('trust-look-again').click();
  await page.getByTestId('trust-run').getByText('evil.example').waitFor();
  await page.getByTestId('trust-yes').click();
  await page.getByTestId('trust-question').waitFor({ state: 'detached' });
  assert.deepEqual((await told(page)).trusted, ['docs-search h-evil true']);
});

test('trust in an earlier form can be taken back, which stops it', async (t) => {
  const page = await sidecars(t);
  await look(page, 'docs-search');
  await page.getByTestId('trust-withdraw').click();
  await row(page, 'docs-search').getByText('Needs your trust').waitFor();
  assert.deepEqual((await told(page)).trusted, ['docs-search h-docs false']);
});

test('words that would deceive are shown sign by sign, and nothing in them acts', async (t) => {
  const page = await sidecars(t, 'replay=demo&sidecars=hostile-sidecars');
  await row(page, '<img src=x onerror=window.pwned=40>').click();
  await page.getByTestId('trust-hidden').waitFor();
  const run = await page.getByTestId('trust-run').locator('.word').allTextContents();
  assert.deepEqual(run, ['n\u043ede', 'server.mjsU+2028rm', '<script>window.pwned=41</script>']);
  assert.equal(await page.getByTestId('trust-run').locator('.foreign').textContent(), '\u043e');
  const build = await page.getByTestId('trust-build').first().locator('.word').last().textContent();
  assert.match(build ?? '', /^echo fine U\+202E# ;lrucU\+202CU\+200B/);
  const empty = await page.getByTestId('trust-build').nth(1).locator('.word').allTextContents();
  assert.deepEqual(empty, ['echo', 'empty', ' two  spaces ']);
  assert.match(await page.getByTestId('trust-manifest').textContent(), /U\+2066innocentU\+2069/);
  assert.match(await page.getByTestId('trust-passes').textContent(), /AWSU\+200B_KEY/);
  await look(page, 'loud');
  await page.getByTestId('tool').locator('button').first().click();
  await page.getByTestId('tool-schema').click();
  await page.locator('[data-field="<i>name</i>"]').fill('x');
  await page.getByTestId('call-send').click();
  await page.getByTestId('call-result').waitFor();
  assert.equal(await page.evaluate(() => window.pwned), undefined);
  assert.equal(await page.locator('[data-testid=sidecars] :is(script, img, iframe, style)').count(), 0);
});

test('a sidecar is started, stopped and started anew by hand', async (t) => {
  const page = await sidecars(t);
  await look(page, 'git');
  await page.getByTestId('sidecar-start').click();
  const state = page.getByTestId('sidecar-state');
  await state.getByText('Ready').waitFor();
  await page.getByTestId('sidecar-restart').click();
  await state.getByText(/Building|Starting/).waitFor();
  await state.getByText('Ready').waitFor();
  await page.getByTestId('sidecar-stop').click();
  await state.getByText('Stopped').waitFor();
  await page.getByTestId('sidecar-start').waitFor();
  await page.keyboard.press('Control+k');
  await page.getByTestId('palette-input').fill('Start this sidecar');
  await page.keyboard.press('Enter');
  await state.getByText('Ready').waitFor();
});

test('an order that is refused says why and can be repeated', async (t) => {
  const page = await sidecars(t);
  await look(page, 'git');
  await page.evaluate(() => {
    const owner = window.replayed.sidecars;
    const start = owner.start;
    owner.start = () => {
      owner.start = start;
      throw { code: 'unreachable', message: 'The owner hung up.' };
    };
  });
  await page.getByTestId('sidecar-start').click();
  await page.getByTestId('sidecar-problem').getByText('The owner hung up.').waitFor();
  await page.getByTestId('sidecar-start').click();
  await page.getByTestId('sidecar-problem').waitFor({ state: 'detached' });
});

test('a tool is called by hand with a form made of its schema', async (t) => {
  const page = await sidecars(t);
  await look(page, 'staging-db');
  await page.locator('[data-tool=query] > button').click();
  const fields = await page.getByTestId('call-field').evaluateAll((all) => all.map((one) => one.dataset.field));
  assert.deepEqual(fields, ['sql', 'limit', 'format', 'explain', 'parameters'], 'the needed one first');
  const field = (name) => page.locator(`[data-field=${name}]`);
  assert.equal(await field('limit').inputValue(), '50');

  await field('limit').fill('5000');
  await field('parameters').fill('[1,');
  await page.getByTestId('call-send').click();
  await page.getByText('Needed', { exact: true }).waitFor();
  await page.getByText('At most 1000').waitFor();
  await page.getByText(/Not JSON/).waitFor();
  assert.deepEqual((await told(page)).called, [], 'nothing was sent');
  await page.waitForFunction(() => document.activeElement?.dataset.field === 'sql');

  await page.keyboard.type('select 1');
  await field('limit').fill('7');
  await field('parameters').fill('[1, "two"]');
  await field('explain').getByText('Yes').click();
  await page.getByTestId('call-choice').click();
  await page.getByRole('option', { name: 'csv' }).click();
  await field('sql').press('Control+Enter');
  await page.getByTestId('call-result').waitFor();
  const sent = { sql: 'select 1', limit: 7, format: 'csv', explain: true, parameters: [1, 'two'] };
  assert.deepEqual((await told(page)).called, [{ sidecar: 'staging-db', tool: 'query', arguments: sent }]);
  await page.getByTestId('status-line').getByText('query answered').waitFor();

  await page.getByTestId('call-way').getByText('JSON').click();
  assert.deepEqual(JSON.parse(await page.getByTestId('call-json').inputValue()), sent, 'the form goes on as JSON');
  await page.getByTestId('call-json').fill('[]');
  await page.getByTestId('call-send').click();
  await page.getByText('Arguments are a JSON object').waitFor();
  await page.getByTestId('call-json').fill('{"sql": "select 2"}');
  await page.getByTestId('call-send').click();
  await page.getByTestId('call-result').getByText('select 2').waitFor();
});

test('progress is shown, a call can be cancelled, and what fails says so', async (t) => {
  const page = await sidecars(t);
  await look(page, 'staging-db');
  await page.locator('[data-tool=backup] > button').click();
  await page.getByText('It takes no arguments.').waitFor();
  await page.getByTestId('call-send').click();
  await page.getByTestId('call-progress-words').getByText('Reading tables').waitFor();
  await page.getByTestId('call-progress').waitFor();
  await page.getByTestId('call-cancel').click();
  await page.getByTestId('call-failed').getByText('Cancelled').waitFor();
  assert.equal((await told(page)).cancelled, 1);

  await page.locator('[data-tool=explain] > button').click();
  await page.locator('[data-field=sql]').fill('select');
  await page.getByTestId('call-send').click();
  await page.getByTestId('call-result').and(page.locator('[data-failed=true]')).waitFor();

  await page.locator('[data-tool=export] > button').click();
  await page.getByTestId('call-send').click();
  await page.getByTestId('call-result').getByText('rows.csv').first().waitFor();
  await page.getByTestId('call-data').waitFor();

  await page.locator('[data-tool=backup] > button').click();
  await page.getByTestId('call-send').click();
  await page.getByTestId('call-cancel').waitFor();
  await page.keyboard.press('Escape');
  await page.waitForFunction(() => window.replayed.sidecars.told.cancelled === 2);
});

test('tools that agents do not get are listed with why, and schemas can be read', async (t) => {
  const page = await sidecars(t);
  await look(page, 'staging-db');
  await page.getByTestId('refused-tools').getByText('a tool without a name').waitFor();
  await page.locator('[data-tool=query] > button').click();
  await page.getByTestId('tool-schema').click();
  await page.locator('[data-tool=query] pre').getByText('"maximum": 1000').waitFor();
});

test('the log is followed, and what the build printed can be seen alone', async (t) => {
  const page = await sidecars(t);
  await look(page, 'staging-db');
  await page.getByTestId('sidecar-part').getByText('Build and log').click();
  const log = page.getByTestId('sidecar-log');
  await log.getByText('query 60 took').waitFor();
  await page.waitForFunction(() => {
    const box = document.querySelector('[data-testid=sidecar-log]');
    return box && box.scrollHeight - box.scrollTop - box.clientHeight < 2;
  });
  await page.evaluate(() => {
    const owner = window.replayed.sidecars;
    const line = { at: new Date().toISOString(), from: 'stderr', text: 'a new line' };
    const lines = { 'staging-db': [...owner.log('staging-db'), line] };
    owner.log = (name) => lines[name] ?? [];
  });
  await log.getByText('a new line').waitFor();
  await page.getByTestId('sidecar-log-of').getByText('Build').click();
  await counted(log.locator('[data-from]'), 1);
  await log.getByText('added 14 packages').waitFor();
  await look(page, 'git');
  await page.getByTestId('sidecar-part').getByText('Build and log').click();
  await page.getByTestId('sidecar-log-empty').waitFor();
});

test('who uses it is named, and leads to the session', async (t) => {
  const page = await sidecars(t);
  await look(page, 'staging-db');
  await counted(page.getByTestId('sidecar-user'), 3);
  await page.locator('[data-testid=sidecar-user][data-session="01900000-0000-7000-8000-0000000000aa"]').click();
  assert.deepEqual(await page.evaluate(() => window.replayed.folders), ['01900000-0000-7000-8000-0000000000aa']);
  await page.getByTestId('sidecar-user').getByText('Let the lexer').click();
  await page.getByTestId('sidecars').waitFor({ state: 'detached' });
  await page.locator('[data-testid=session-row][data-session=b-port][aria-current=true]').waitFor();
});

test('a call in the transcript says which sidecar served it', async (t) => {
  const page = await browser.scene(t, 'replay=sidecars');
  await page.locator('[data-testid=session-row][data-session=b-idle]').click();
  await page.getByTestId('served-by').getByText('staging-db').waitFor();
});

test('servers of other programs are listed once, and shared by what was chosen', async (t) => {
  const page = await sidecars(t);
  await page.getByTestId('sidecars-import').click();
  const dialog = page.getByTestId('import-servers');
  const ids = await dialog.getByTestId('importable').evaluateAll((all) => all.map((one) => one.dataset.id));
  assert.deepEqual(ids, ['claude/filesystem', 'claude/github', 'vscode/postgres', 'project/sentry', 'codex/time']);
  const entry = (id) => dialog.locator(`[data-id="${id}"]`);
  await entry('claude/filesystem').getByText('3 times').waitFor();
  await dialog.getByTestId('imports-same').getByText('1 server is set up more than once').waitFor();
  assert.equal(await entry('codex/time').getByTestId('importable-choose').isDisabled(), true);
  await entry('codex/time').getByText('shared as time').waitFor();
  await dialog.getByTestId('imports-unreadable').getByText('line 12').waitFor();
  assert.match(await entry('claude/github').getByTestId('importable-secrets').textContent(), /Authorization/);
  assert.equal(await dialog.getByTestId('imports-share').isDisabled(), true);
  assert.deepEqual(await violations(page), []);

  await dialog.getByTestId('imports-all').click();
  await dialog.getByText('Share 3 servers').waitFor();
  await entry('claude/github').getByTestId('importable-choose').click();
  await entry('claude/filesystem').getByTestId('importable-from').click();
  await page.getByRole('option', { name: /files, Codex/ }).click();
  await dialog.getByText('Share 2 servers').click();
  await dialog.getByTestId('imports-done').getByText('files is shared').waitFor();
  await dialog.getByTestId('imports-want').getByText('export PGPASSWORD').waitFor();
  assert.deepEqual(await violations(page), []);
  await dialog.getByTestId('imports-close').click();
  await dialog.waitFor({ state: 'detached' });
  await row(page, 'files').waitFor();
  await row(page, 'postgres').waitFor();
});

test('where there is nothing to import it says where it looked', async (t) => {
  const page = await sidecars(t, 'replay=sidecars&imports=none');
  await page.getByTestId('sidecars-import').click();
  await page.getByTestId('imports-empty').getByText('.mcp.json').waitFor();
});

test('where there is none it teaches, and the documentation is at hand', async (t) => {
  const page = await sidecars(t, 'replay=states');
  await page.getByTestId('sidecars-empty').waitFor();
  await page.getByText('run = "node server.mjs"').waitFor();
  await page.getByTestId('empty-guide').click();
  const guide = page.getByTestId('guide-text');
  await guide.getByText('sidecar.toml').first().waitFor();
  await picture(page, 'sidecars-guide');
  assert.deepEqual(await violations(page), []);
  await page.keyboard.press('Escape');
  await guide.waitFor({ state: 'detached' });
  await page.getByTestId('sidecars').waitFor();
  await page.getByTestId('empty-import').click();
  await page.getByTestId('import-servers').waitFor();
});

test('an owner that cannot be asked is told, and what was known stays', async (t) => {
  const page = await sidecars(t, 'replay=sidecars&owner=lost');
  await page.getByTestId('sidecars-lost').getByText('cannot be reached').waitFor();
  assert.equal(await page.getByTestId('sidecar').count(), 0);
});

test('keys alone go through the list, and a reload shows the same one', async (t) => {
  const page = await sidecars(t);
  await row(page, 'docs-search').focus();
  for (let step = 0; step < 3; step++) await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await detail(page, 'staging-db').waitFor();
  await page.reload();
  await detail(page, 'staging-db').waitFor();
  await row(page, 'staging-db').and(page.locator('[aria-current=true]')).waitFor();
});

test('doctor lists those that do not run, and leads to them', async (t) => {
  const page = await browser.scene(t, 'replay=sidecars', { reducedMotion: 'reduce' });
  await page.keyboard.press('Alt+d');
  const found = page.getByTestId('doctor-sidecars');
  await found.getByText('11 sidecars').waitFor();
  await found.getByText('3 of them need mending. 2 wait for your trust.').waitFor();
  await found.getByText('TRACKER_TOKEN is not in your environment').waitFor();
  assert.deepEqual(await violations(page), []);
  await found.locator('article', { hasText: 'lint' }).getByTestId('doctor-sidecar').click();
  await detail(page, 'lint').waitFor();
});

test('two hundred are narrowed by a word, and none is wider than the list', async (t) => {
  const page = await sidecars(t, 'replay=states&sidecars=many');
  await counted(page.getByTestId('sidecar'), 200);
  await page.keyboard.press('Control+f');
  await page.keyboard.type('tool-042');
  await counted(page.getByTestId('sidecar'), 1);
  await page.getByTestId('sidecars-filter').fill('describe');
  await counted(page.getByTestId('sidecar'), 67);
  await page.getByTestId('sidecars-filter').fill('nothing of the kind');
  await page.getByTestId('sidecars-none').waitFor();
  await page.keyboard.press('Escape');
  await counted(page.getByTestId('sidecar'), 200);
  const wide = await page.evaluate(() => {
    const list = document.querySelector('[data-group]').parentElement;
    return list.scrollWidth - list.clientWidth;
  });
  assert.ok(wide <= 0);
});

test('in a narrow window list and detail come one after the other', async (t) => {
  const page = await sidecars(t, 'replay=sidecars', { viewport: { width: 820, height: 700 } });
  await row(page, 'git').click();
  await detail(page, 'git').waitFor();
  assert.equal(await row(page, 'git').isVisible(), false);
  await page.getByTestId('sidecar-back').click();
  await row(page, 'git').waitFor();
});

for (const colorScheme of ['light', 'dark'])
  for (const [name, open] of [
    ['staging-db', (page) => page.locator('[data-tool=query] > button').click()],
    ['release', async () => undefined],
    ['lint', async () => undefined],
    ['translate', (page) => page.getByTestId('sidecar-part').getByText('Build and log').click()],
    ['broken', async () => undefined],
  ])
    test(`${name} has no fault that assistive technology would trip over, in ${colorScheme}`, async (t) => {
      const page = await sidecars(t, 'replay=sidecars', { colorScheme });
      await look(page, name);
      await open(page);
      await picture(page, `sidecars-${name}-${colorScheme}`);
      assert.deepEqual(await violations(page), []);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert.ok(wide <= 0, 'nothing is wider than the window');
    });
