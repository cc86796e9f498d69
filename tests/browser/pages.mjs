// Opens every page in Chromium as an analyst would, light and dark, in a small and a large window: nothing is empty, in
// error or waiting, nothing is cut off; every row leads where it says; a verdict has its effect; over an app that has just
// been installed the pages say what to do. What a page must have is read from its definition.
// Usage: node pages.mjs URL URL_OF_NOTHING CHROMIUM SCREENSHOTS [SCHEMA]
// Writes the screenshots, and with SCHEMA also the renderer's JSON schema, for tests/views.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { readFileSync, writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { layoutFaults } from './layout.mjs';

const { chromium } = createRequire(new URL('../../viewer/package.json', import.meta.url))('playwright-core');
const [url, nothing, executablePath, folder, schema] = process.argv.slice(2);
const APP = '/app/cloud_behavior_analytics';
// Higher than any page: a screenshot of what is below would draw the panels anew.
const SIZES = { 1280: { width: 1280, height: 2800 }, 1920: { width: 1920, height: 2800 } };
// Of the demo: nobody has given a verdict yet, or tried a setting.
const MAY_BE_EMPTY = new Set(['verdicts_panel', 'compared_panel', 'compared_days_panel', 'differing_panel', 'late_panel']);
// What of a panel is clicked: its first row, or bar.
const CLICKED = 'tbody td, .highcharts-point';
// Links to searches that write are followed, not run; one verdict is.
const WRITES = /\|\s*(outputlookup|cba(alerts|verdict|acknowledge|judge|window|forget))\b/;

const started = Date.now();
const say = (text) => console.log(`${((Date.now() - started) / 1000).toFixed(0).padStart(4)} s  ${text}`);
const browser = await chromium.launch({
  executablePath,
  args: ['--no-sandbox', '--disable-gpu', '--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1'],
});
const context = await browser.newContext({ viewport: SIZES[1280], timezoneId: 'UTC', locale: 'en-GB' });
context.setDefaultTimeout(60_000);
const page = await context.newPage();
const faults = [];
page.on('pageerror', (problem) => faults.push(`${page.url()}: ${problem}`));

const panel = (name) => page.locator(`[data-test=viz-item][data-id="${name}"]`);
const answer = async (address, options) => (await fetch(address, options)).json();
const viewOf = async (path, site = url) => (await answer(`${site}/api/view/${path.split('?')[0]}`)).definition;
const run = (query, earliest = '', latest = '') =>
  answer(`${url}/api/search`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ query, earliest, latest }),
  });
const conf = (name) => readFileSync(new URL(`../../default/${name}.conf`, import.meta.url), 'utf8');
const savedSearches = [...conf('savedsearches').matchAll(/^\[(.*)\]$/gm)].map(([, name]) => name);
const pages = (await answer(`${url}/api/nav`)).views.map(({ name }) => name).filter((name) => name !== 'search');

/** Opens a page and waits until all its searches have been answered and drawn; answers its definition. */
async function open(path, site = url) {
  const definition = await viewOf(path, site);
  await page.goto(`${site}${APP}/${path}`);
  await drawn(definition);
  return definition;
}

async function drawn({ dataSources, visualizations }) {
  const searches = Object.keys(dataSources).length;
  const answered = (least) => window.cbaSearches?.answered >= least && window.cbaSearches.answered === window.cbaSearches.asked;
  await page.waitForFunction(answered, searches).catch(async () => {
    const state = JSON.stringify(await page.evaluate(() => window.cbaSearches));
    assert.fail(`${page.url()}: ${searches} searches, ${state}`);
  });
  for (const [name, { type }] of Object.entries(visualizations)) {
    const sign = { 'splunk.table': 'table, [data-test=message]', 'splunk.column': 'svg', 'splunk.bar': 'svg' }[type];
    if (sign) await panel(name).locator(sign).first().waitFor();
  }
  await settled();
  assert.equal(await page.evaluate(() => window.cbaInvalid), undefined, `${page.url()} is not valid`);
}

// Until the page is the same three times in a row: an answer that has come is not yet drawn. Maps are drawings.
async function settled() {
  let before = '';
  for (let same = 0, looks = 0; same < 2; looks++) {
    assert.ok(looks < 100, 'the page keeps changing');
    let now = await page.evaluate(() => document.body.innerHTML);
    for (const map of await page.locator('canvas').all()) {
      now += (await page.screenshot({ clip: await map.boundingBox() })).toString('base64');
    }
    same = now === before ? same + 1 : 0;
    before = now;
    await page.waitForTimeout(150);
  }
}

/** What each panel shows: {name: 'error: …' (or what it waits for) | 'nothing' | 'something'}. */
async function shown(definition) {
  const found = {};
  for (const [name, { title = '', description = '' }] of Object.entries(definition.visualizations)) {
    const waits = panel(name).locator('[data-test=viz-waiting-for-input-message]');
    const warns = panel(name).locator('[data-test=message], [data-test=status-icon-container] button');
    const text = (await panel(name).innerText()).replace(title, '').replace(description, '').trim();
    if (await waits.count()) found[name] = `error: ${await waits.innerText()}`;
    else if ((await warns.count()) || !text || text === 'N/A') found[name] = 'nothing';
    else found[name] = 'something';
  }
  return found;
}

async function check(definition, what) {
  for (const [name, state] of Object.entries(await shown(definition))) {
    if (state !== 'something' && !MAY_BE_EMPTY.has(name)) faults.push(`${what}: ${name} shows ${state}`);
  }
  await checkLayout(what);
}

async function checkLayout(what) {
  for (const fault of await page.evaluate(layoutFaults)) faults.push(`${what}: ${fault}`);
}

async function shoot(name) {
  const ends = await page.locator('[data-test=viz-item]').evaluateAll((items) =>
    Math.max(...items.map((item) => item.getBoundingClientRect().bottom))
  );
  const clip = { x: 0, y: 0, width: page.viewportSize().width, height: Math.ceil(ends) + 8 };
  await page.screenshot({ path: `${folder}/${name}.png`, clip, fullPage: true });
}

const theme = (name) => page.locator('[data-test=app-nav] button', { hasText: name }).click();

/** What the first row, or bar, of each panel opens: [panel, address]. The browser stays where it is. */
async function doors(definition) {
  const found = [];
  await page.evaluate(() => {
    window.cbaStay = (event) => {
      event.preventDefault();
      window.cbaLed = event.destination.url;
    };
    window.navigation.addEventListener('navigate', window.cbaStay);
  });
  for (const [name, { eventHandlers = [] }] of Object.entries(definition.visualizations)) {
    if (!eventHandlers.some(({ type }) => type === 'drilldown.customUrl')) continue;
    const target = panel(name).locator(CLICKED).first();
    if (await target.count()) {
      await page.evaluate(() => delete window.cbaLed);
      await target.click();
      found.push([name, await (await page.waitForFunction(() => window.cbaLed)).jsonValue()]);
    } else say(`  ${name} has nothing to click`);
  }
  await page.evaluate(() => {
    window.navigation.removeEventListener('navigate', window.cbaStay);
    document.activeElement.blur();
  });
  return found;
}

/** Clicks the first row, or country, of each panel that sets a token: the page's inputs follow, and no panel breaks. */
async function filters(name) {
  const definition = await viewOf(name);
  const setting = Object.entries(definition.visualizations).flatMap(([item, { eventHandlers = [] }]) =>
    eventHandlers.filter(({ type }) => type === 'drilldown.setToken').map(({ options }) => [item, options.tokens[0].token])
  );
  for (const [item, token] of setting) {
    await open(name);
    const value = () => page.evaluate((of) => window.cbaTokens.default[of], token);
    const before = await value();
    if (definition.visualizations[item].type === 'splunk.map') {
      // A map is a drawing: somewhere on it is a country that has findings.
      const { x, y, width, height } = await panel(item).locator('canvas').boundingBox();
      for (let at = 0; at < 40 && (await value()) === before; at++) {
        await page.mouse.click(x + (width * (1 + (at % 8))) / 9, y + (height * (1 + Math.floor(at / 8))) / 6);
        await page.evaluate(() => new Promise((next) => { requestAnimationFrame(() => requestAnimationFrame(next)); }));
      }
    } else await panel(item).locator(CLICKED).first().click();
    await page.waitForFunction(([of, was]) => window.cbaTokens.default[of] !== was, [token, before]);
    await drawn(definition);
    const states = Object.entries(await shown(definition));
    for (const [shows, state] of states) assert.doesNotMatch(state, /^error/, `${name}, ${item} clicked: ${shows}`);
  }
  return setting.length;
}

/** Asserts that an address is that of a page with its inputs filled in, of a search that runs, of a saved search, or of
 * something outside the app with its tokens filled in. */
async function leadsSomewhere(address, what) {
  const { pathname, searchParams } = new URL(address);
  const place = pathname.split('/').pop();
  assert.doesNotMatch(decodeURIComponent(address), /\$\w+[.$|]|undefined/, `${what}: a token is not filled in`);
  if (searchParams.has('s')) {
    const name = decodeURIComponent(searchParams.get('s').split('/').pop());
    assert.ok(savedSearches.includes(name), `${what}: ${name} is no saved search`);
  } else if (place === 'search') {
    const query = searchParams.get('q');
    assert.ok(query?.trim(), `${what}: no search`);
    const read = WRITES.test(query) ? {} : await run(query, searchParams.get('earliest'), searchParams.get('latest'));
    assert.equal(read.message, undefined, `${what}: ${query}`);
  } else if (pages.includes(place)) {
    const { inputs } = await viewOf(place);
    const tokens = Object.values(inputs).map(({ options }) => `form.${options.token}`);
    for (const [name, value] of searchParams) {
      assert.ok(value, `${what}: ${name} is empty`);
      assert.ok(tokens.includes(name), `${what}: ${place} has no input ${name}`);
    }
  }
}

// Every page in every look, and where its rows lead.
for (const name of pages) {
  const definition = await open(name);
  await check(definition, `${name}, light, 1280`);
  await shoot(`${name}-light-1280`);
  const led = await doors(definition);
  for (const [from, address] of led) await leadsSomewhere(address, `${name}: ${from}`);
  for (const [look, width] of [['light', 1920], ['dark', 1920], ['dark', 1280]]) {
    if (look === 'dark' && width === 1920) await theme('dark');
    await page.setViewportSize(SIZES[width]);
    await drawn(definition);
    await check(definition, `${name}, ${look}, ${width}`);
    await shoot(`${name}-${look}-${width}`);
  }
  await theme('light');
  await page.setViewportSize(SIZES[1280]);
  say(`${name}: ${Object.keys(definition.visualizations).length} panels, ${led.length} lead on`);
}
if (schema) writeFileSync(schema, gzipSync(JSON.stringify(await page.evaluate(() => window.cbaSchema())), { level: 9 }));

/** Clicks a row's cell, waits for the page it opens, and answers that page's inputs. */
async function follow(cell, to) {
  await cell.click();
  await page.waitForURL(to);
  const path = page.url().split('/').pop();
  await drawn(await viewOf(path));
  return new URL(page.url()).searchParams;
}

for (const name of pages) {
  const clicked = await filters(name);
  if (clicked) say(`${name}: ${clicked} panels filter`);
}

// From the list to a finding, to its entity, and from there to a finding again.
await open('findings');
const listed = panel('list_panel').locator('tbody tr', { hasText: 'country' }).first();
const finding = (await follow(listed.locator('td').nth(2), /finding\?form\.finding=[0-9a-f]{24}/)).get('form.finding');
await check(await viewOf('finding'), 'the finding that was clicked');
assert.match(await panel('facts_panel').innerText(), new RegExp(finding));
await shoot('a-finding');
const evidence = panel('evidence_panel').locator('tbody tr').first();
const entity = (await follow(evidence.locator('td').nth(1), /entity\?form\.entity=/)).get('form.entity');
await check(await viewOf('entity'), 'the entity that was clicked');
await shoot('an-entity');
await theme('dark');
await drawn(await viewOf('entity'));
await shoot('an-entity-dark');
await theme('light');
await follow(panel('list_panel').locator('tbody td').nth(2), /finding\?form\.finding=[0-9a-f]{24}/);
assert.match(await panel('facts_panel').innerText(), new RegExp(entity.replace(/[^\w]/g, '.')));
say(`followed ${finding} to ${entity} and on`);

// An entity is found by a part of its name.
await open('entity?form.find=order-mail');
await follow(panel('others_panel').locator('tbody tr', { hasText: 'role' }).first().locator('td').first(), /role/);
await check(await viewOf('entity'), 'a role');
await shoot('a-role');
say('found a role');

// A verdict: its link opens the search, nothing runs before the button; then the finding is closed.
await open(`finding?form.finding=${finding}`);
assert.match(await panel('status_panel').innerText(), /new/);
await panel('steps_panel').locator('tbody tr', { hasText: 'It is normal' }).first().locator('td').first().click();
await page.waitForURL(/search\?q=/);
const query = page.locator('[data-test=query]');
assert.match(await query.inputValue(), new RegExp(`cbaverdict finding="${finding}" verdict=benign`));
await query.fill((await query.inputValue()).replace('"why"', '"business trip"'));
await page.locator('[data-test=run]').click();
await page.locator('[data-test=results]').waitFor();
await page.goBack();
await page.waitForURL(/finding\?/);
await drawn(await viewOf('finding'));
assert.match(await panel('status_panel').innerText(), /closed: benign/);
assert.match(await panel('facts_panel').innerText(), /business trip/);
await open('tuning');
assert.match(await panel('verdicts_panel').innerText(), /business trip/);
say('gave a verdict and saw its effect');

// Settings tried on the page Tuning: what would come or go.
const { inputs } = await viewOf('tuning');
const chosen = (input, label) => inputs[input].options.items.find((item) => item.label === label).value;
const changes = new URLSearchParams({
  'form.backtest': chosen('backtest', 'cloud_unusual_country'),
  'form.logs': chosen('logs', 'm365'),
  'form.since': chosen('since', '14 days'),
  'form.changed': chosen('changed', 'Days of a normal value: 5 days'),
});
const tried = await shown(await open(`tuning?${changes}`));
for (const name of ['compared_panel', 'compared_days_panel', 'differing_panel']) {
  if (tried[name] !== 'something') faults.push(`tuning, with settings to try: ${name} shows ${tried[name]}`);
}
await checkLayout('tuning, with settings to try');
await shoot('settings-tried');
say('tried a setting');

// The raw events behind it.
await open(`finding?form.finding=${finding}`);
await panel('steps_panel').locator('tbody tr').first().locator('td').first().click();
await page.waitForURL(/search\?q=/);
await page.locator('[data-test=run]').click();
const results = await page.locator('[data-test=results]').innerText();
assert.match(results, /^[1-9]\d* results/, 'no raw events behind the finding');
say(`raw events: ${results.split('\n')[0]}`);

// What Enterprise Security offers on a notable event leads to pages of that finding and entity.
const { fields, columns } = await run('| inputlookup cba_findings | where entity!=identity | head 1');
const notable = Object.fromEntries(fields.map(({ name }, at) => [name, columns[at][0]]));
const actions = conf('workflow_actions').split(/^\[/m).slice(1).map((stanza) => ({
  name: stanza.split(']')[0],
  needs: stanza.match(/^fields = (.*)$/m)[1].split(', '),
  uri: stanza.match(/^link\.uri = (.*)$/m)[1],
}));
for (const { name, needs, uri } of actions) {
  for (const field of needs) assert.ok(notable[field], `${name}: a notable event has no ${field}`);
  const address = uri.replace(/\$(\w+)\$/g, (_, field) => encodeURIComponent(notable[field]));
  await leadsSomewhere(`${url}${address}`, name);
  const definition = await open(address.split('/').pop());
  const states = Object.values(await shown(definition));
  assert.ok(!states.some((state) => state.startsWith('error')), `${name}: ${states}`);
  const values = await page.locator('input').evaluateAll((inputs) => inputs.map(({ value }) => value));
  assert.ok(values.includes(notable[needs.at(-1)]), `${name}: ${address} shows ${values}`);
}
say(`${actions.length} workflow actions lead to their pages`);

// An app that has just been installed: no events, no findings. What shows nothing says on each page what that means.
for (const name of pages) {
  const definition = await open(name, nothing);
  const states = Object.entries(await shown(definition));
  for (const [item, state] of states) {
    if (state.startsWith('error')) faults.push(`${name} of an empty app: ${item} shows ${state}`);
  }
  const empty = states.filter(([, state]) => state === 'nothing').map(([item]) => definition.visualizations[item]);
  const helps = empty.some(({ description = '' }) => /Nothing here\?/.test(description));
  if (empty.length && !helps) faults.push(`${name} of an empty app does not say what to do`);
  await checkLayout(`${name} of an empty app`);
  await shoot(`empty-${name}`);
}
say('an empty app says what to do');

assert.deepEqual(faults, []);
await browser.close();
