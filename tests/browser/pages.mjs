// Opens every page in Chromium as an analyst would: nothing is empty, in error or waiting; rows lead where they say;
// a verdict has its effect. Usage: node pages.mjs URL CHROMIUM SCREENSHOTS [SCHEMA]
// Writes the screenshots, and with SCHEMA also the renderer's JSON schema, for tests/views.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';

const { chromium } = createRequire(new URL('../../viewer/package.json', import.meta.url))('playwright-core');
const [url, executablePath, folder, schema] = process.argv.slice(2);
const APP = `${url}/app/cloud_behavior_analytics`;
const PAGES = ['findings', 'finding', 'entity', 'health', 'tuning', 'welcome'];
// What a panel says when something is wrong with it.
const WRONG = /Set token value|No data!|^N\/A$|\(ad hoc\)/;
const MAY_BE_EMPTY = new Set(['verdicts_panel']);

const browser = await chromium.launch({
  executablePath,
  args: ['--no-sandbox', '--disable-gpu', '--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1'],
});
const context = await browser.newContext({
  viewport: { width: 1280, height: 900 },
  timezoneId: 'UTC',
  locale: 'en-GB',
});
context.setDefaultTimeout(60_000);
const page = await context.newPage();
const faults = [];
page.on('pageerror', (problem) => faults.push(String(problem)));

const panels = () => page.locator('[data-test=viz-item]');
const panel = (name) => page.locator(`[data-test=viz-item][data-id=${name}]`);

/** Waits until all the page's searches have been answered and drawn. */
async function open(path) {
  const { definition } = await (await fetch(`${url}/api/view/${path.split('?')[0]}`)).json();
  await page.goto(`${APP}/${path}`);
  await page.waitForFunction(
    (searches) => window.cbaSearches?.answered >= searches && window.cbaSearches.answered === window.cbaSearches.asked,
    Object.keys(definition.dataSources).length
  );
  for (const [name, { type }] of Object.entries(definition.visualizations)) {
    const drawn = { 'splunk.table': 'table, [data-test=message]', 'splunk.column': 'svg', 'splunk.bar': 'svg' }[type];
    if (drawn && !MAY_BE_EMPTY.has(name)) await panel(name).locator(drawn).first().waitFor();
  }
  await settled();
  assert.equal(await page.evaluate(() => window.cbaInvalid), undefined, `${path} is not valid`);
}

// Until the page looks the same three times in a row: an answer that has come is not yet drawn.
async function settled() {
  let before = null;
  for (let same = 0, looks = 0; same < 2; looks++) {
    assert.ok(looks < 60, 'the page keeps changing');
    const now = await page.screenshot({ animations: 'disabled' });
    same = before?.equals(now) ? same + 1 : 0;
    before = now;
    await page.waitForTimeout(300);
  }
}

async function check(path) {
  for (const item of await panels().all()) {
    const name = await item.getAttribute('data-id');
    const text = (await item.innerText()).trim();
    if (MAY_BE_EMPTY.has(name)) continue;
    const title = await item.locator('[data-test=title], h3').allInnerTexts();
    assert.ok(text.length > title.join('').length, `${path}: ${name} is empty`);
    const message = text.split('\n').find((line) => WRONG.test(line));
    assert.equal(message, undefined, `${path}: ${name} says ${message}`);
  }
}

async function shoot(name) {
  await page.screenshot({ path: `${folder}/${name}.png`, fullPage: name !== 'findings' });
}

for (const name of PAGES) {
  const path = name === 'entity' ? 'entity?form.entity=organization&theme=light' : `${name}?theme=light`;
  await open(path);
  await check(path);
  console.log(`${name}: ${await panels().count()} panels`);
  if (name !== 'finding' && name !== 'entity') await shoot(name);
}
if (schema) writeFileSync(schema, gzipSync(JSON.stringify(await page.evaluate(() => window.cbaSchema())), { level: 9 }));

// A row of the list opens its finding; its evidence opens the entity.
await open('findings?theme=light');
await panel('list_panel').locator('tbody tr', { hasText: 'country' }).first().locator('td').nth(2).click();
await page.waitForURL(/finding\?form\.finding=[0-9a-f]{24}/);
const finding = new URL(page.url()).searchParams.get('form.finding');
await open(`finding?form.finding=${finding}&theme=light`);
await check('the finding that was clicked');
assert.match(await panel('facts_panel').innerText(), new RegExp(finding));
await shoot('finding');
await panel('evidence_panel').locator('tbody tr').first().locator('td').nth(1).click();
await page.waitForURL(/entity\?form\.entity=/);
await open(`${page.url().split('/').pop()}&theme=dark`);
await check('the entity that was clicked');
await shoot('entity');
console.log(`followed ${finding} to its entity`);

// A verdict: its link opens the search, nothing runs before the button; then the finding is closed.
await open(`finding?form.finding=${finding}&theme=light`);
assert.match(await panel('status_panel').innerText(), /new/);
await panel('steps_panel').locator('tbody tr', { hasText: 'It is normal' }).first().locator('td').first().click();
await page.waitForURL(/search\?q=/);
const query = page.locator('[data-test=query]');
assert.match(await query.inputValue(), new RegExp(`cbaverdict finding=${finding} verdict=benign`));
await query.fill((await query.inputValue()).replace('"why"', '"business trip"'));
await page.locator('[data-test=run]').click();
await page.locator('[data-test=results]').waitFor();
await open(`finding?form.finding=${finding}`);
assert.match(await panel('status_panel').innerText(), /closed: benign/);
assert.match(await panel('facts_panel').innerText(), /business trip/);
await open('tuning');
assert.match(await panel('verdicts_panel').innerText(), /business trip/);
console.log('gave a verdict and saw its effect');

// The raw events behind it.
await open(`finding?form.finding=${finding}`);
await panel('steps_panel').locator('tbody tr').first().locator('td').first().click();
await page.waitForURL(/search\?q=/);
await page.locator('[data-test=run]').click();
const results = await page.locator('[data-test=results]').innerText();
assert.match(results, /^[1-9]\d* results/, 'no raw events behind the finding');
console.log(`raw events: ${results.split('\n')[0]}`);

assert.deepEqual(faults, []);
await browser.close();
