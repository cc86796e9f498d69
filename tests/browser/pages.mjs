// Opens every page in Chromium as an analyst would, light and dark, in a small and a large window: nothing is empty, in
// error or waiting, nothing is cut off; every row leads where it says; a verdict has its effect; over an app that has just
// been installed the pages say what to do. What a page must have is read from its definition.
// Usage: node pages.mjs URL URL_OF_NOTHING CHROMIUM SCREENSHOTS [--quick] [SCHEMA]
// Writes the screenshots, and with SCHEMA also the renderer's JSON schema, for tests/views.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { readFileSync, writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { layoutFaults } from './layout.mjs';

const { chromium } = createRequire(new URL('../../viewer/package.json', import.meta.url))('playwright-core');
const [url, nothing, executablePath, folder, ...more] = process.argv.slice(2);
const quick = more[0] === '--quick';
const schema = more[quick ? 1 : 0];
const APP = '/app/cloud_behavior_analytics';
// Higher than any page: a screenshot of what is below would draw the panels anew.
const SIZES = { 1280: { width: 1280, height: 3600 }, 1920: { width: 1920, height: 3600 } };
// What most laptops have, less nothing: what must be seen first is seen here without scrolling.
const LAPTOP = { width: 1366, height: 768 };
const DESK = { width: 1920, height: 1080 };
const FORM = '/static/app/cloud_behavior_analytics/verdict.html';
// What axe-core finds in Splunk's own components, which a page can neither set nor change: rule -> which elements.
const OF_RENDERER = {
  'aria-valid-attr-value': /hr\[aria-label="Resize /,
  'button-name': /status-icon-container|^\.sc-/,
  'color-contrast': /viz-description/,
  'label-content-name-mismatch': /data-test="(prev|table-pagination)"/,
  'scrollable-region-focusable': /scroll-container/,
};
// Of the demo: nobody has given a verdict yet, or tried a setting.
const MAY_BE_EMPTY = new Set(['verdicts_panel', 'compared_panel', 'compared_days_panel', 'differing_panel', 'late_panel']);
// What of a panel is clicked: its first row, or bar.
const CLICKED = 'tbody td, .highcharts-point';
// Links to searches that write are followed, not run; one verdict is.
const WRITES = /\|\s*(outputlookup|cba(alerts|verdict|acknowledge|judge|setup|window|forget))\b/;

const started = Date.now();
const say = (text) => console.log(`${((Date.now() - started) / 1000).toFixed(0).padStart(4)} s  ${text}`);
const browser = await chromium.launch({
  executablePath,
  args: ['--no-sandbox', '--disable-gpu', '--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1'],
});
const faults = [];
// Page -> milliseconds from its address to the last panel drawn, each time it was opened. Said at the end, not judged:
// it is the machine's as much as the page's.
const took = {};
let lastDrawn = 0;
let page;

/** From here on `page` is one of a browser in that zone. */
async function useBrowser(timezoneId, viewport, colorScheme = 'light') {
  await page?.context().close();
  const context = await browser.newContext({ viewport, timezoneId, locale: 'en-GB', colorScheme });
  context.setDefaultTimeout(60_000);
  page = await context.newPage();
  page.on('pageerror', (problem) => faults.push(`${page.url()}: ${problem}`));
}

await useBrowser('UTC', SIZES[1280]);

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
  const began = Date.now();
  await page.goto(`${site}${APP}/${path}`);
  await drawn(definition);
  const name = path.split('?')[0];
  if (site === url) (took[name] ??= []).push(lastDrawn - began);
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
  lastDrawn = Date.now();
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
      now += (await page.screenshot({ clip: await map.boundingBox(), fullPage: true })).toString('base64');
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

/** Clicks here and there on a map, which is a drawing, while nothing comes of it: somewhere is a country with findings. */
async function somewhereOnMap(name, nothingCame) {
  const { x, y, width, height } = await panel(name).locator('canvas').boundingBox();
  for (let at = 0; at < 40 && (await nothingCame()); at++) {
    await page.mouse.click(x + (width * (1 + (at % 8))) / 9, y + (height * (1 + Math.floor(at / 8))) / 6);
    await page.evaluate(() => new Promise((next) => { requestAnimationFrame(() => requestAnimationFrame(next)); }));
  }
}

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
    await page.evaluate(() => delete window.cbaLed);
    const target = panel(name).locator(CLICKED).first();
    if (await target.count()) {
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
    if (definition.visualizations[item].type === 'splunk.map') await somewhereOnMap(item, async () => (await value()) === before);
    else await panel(item).locator(CLICKED).first().click();
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
  } else if (pathname === FORM) {
    assert.match(searchParams.get('findings') ?? '', /^[0-9a-f]{24}(,[0-9a-f]{24})*$/, `${what}: no finding`);
  } else if (pages.includes(place)) {
    const { inputs } = await viewOf(place);
    const edges = ({ type, options }) => (type === 'input.timerange' ? ['.earliest', '.latest'] : ['']).map((edge) => `form.${options.token}${edge}`);
    const tokens = Object.values(inputs).flatMap(edges);
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
  for (const [look, width] of quick ? [] : [['light', 1920], ['dark', 1920], ['dark', 1280]]) {
    if (look === 'dark' && width === 1920) await theme('dark');
    await page.setViewportSize(SIZES[width]);
    await drawn(definition);
    await check(definition, `${name}, ${look}, ${width}`);
    await shoot(`${name}-${look}-${width}`);
  }
  if (!quick) await theme('light');
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
assert.match(await panel('facts_panel').innerText(), /AS\d+/);
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
assert.match(await panel('summary_panel').innerText(), new RegExp(entity.replace(/[^\w]/g, '.')));
say(`followed ${finding} to ${entity} and on`);

// An entity is found by a part of its name.
await open('entity?form.find=order-mail');
await follow(panel('others_panel').locator('tbody tr', { hasText: 'role' }).first().locator('td').first(), /role/);
await check(await viewOf('entity'), 'a role');
await shoot('a-role');
say('found a role');

/** The form: chooses what is given, says why, presses the button; answers what it said it would teach. */
async function decide(comment) {
  await page.locator('#teaches li').first().waitFor();
  await page.waitForFunction(() => !/above/.test(document.getElementById('why').textContent));
  assert.ok(await page.locator('#give').isDisabled(), 'nothing is given without a reason');
  const teaches = await page.locator('#teaches li').allInnerTexts();
  await page.locator('[name=comment]').fill(comment);
  await page.locator('#give').click();
  await page.locator('#message.good').waitFor();
  return teaches;
}

async function back() {
  await page.locator('#back').click();
  await page.waitForURL(/\/app\//);
  await drawn(await viewOf(page.url().split('/').pop()));
}

// A verdict: its row opens the form, nothing is given before the button; then the finding is closed.
await open(`finding?form.finding=${finding}`);
assert.match(await panel('state_panel').innerText(), /new/);
await panel('decide_panel').locator('tbody tr', { hasText: 'It is normal' }).first().locator('td').first().click();
await page.waitForURL(/verdict\.html/);
assert.deepEqual((await run(`| inputlookup cba_triage | where finding_id="${finding}"`)).columns, [], 'opening the form says nothing');
const [lesson] = await decide('business trip');
assert.match(lesson, /^Country .* becomes normal for /);
await back();
assert.match(await panel('state_panel').innerText(), /closed[\s\S]*benign[\s\S]*business trip/);
assert.match(await panel('said_panel').innerText(), /business trip/);
await open('tuning');
assert.match(await panel('verdicts_panel').innerText(), /business trip/);
say('gave a verdict and saw its effect');

// Several at once: all are listed, none is chosen, and only the chosen ones are decided.
await open('findings');
await panel('several_panel').locator('tbody td').first().click();
await page.waitForURL(/verdict\.html/);
const boxes = page.locator('#findings input');
await boxes.first().waitFor();
assert.equal(await page.locator('#findings input:checked').count(), 0, 'none is chosen at first');
const listedThere = await boxes.count();
const chosenIds = [];
for (const box of [boxes.nth(listedThere - 1), boxes.nth(listedThere - 2)]) {
  await box.check();
  chosenIds.push((await box.getAttribute('id')).replace('of-', ''));
}
await page.locator('[name=status]').selectOption('in progress');
await page.locator('[name=owner]').fill('ines');
await page.screenshot({ path: `${folder}/several.png` });
await decide('looked at together');
const said = await run('| inputlookup cba_triage | search comment="looked at together" | table finding_id status owner verdict');
const [saidOf, statuses, owners] = said.columns;
assert.deepEqual([...saidOf].sort(), [...chosenIds].sort());
assert.deepEqual([statuses, owners], [['in progress', 'in progress'], ['ines', 'ines']]);
say(`said the same of 2 of ${listedThere} findings`);

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

// The raw event behind a row.
await open(`finding?form.finding=${finding}`);
await panel('events_panel').locator('tbody td').first().click();
await page.waitForURL(/search\?q=/);
await page.locator('[data-test=run]').click();
const results = await page.locator('[data-test=results]').innerText();
assert.match(results, /^[1-9]\d* results/, 'no raw event behind the row');
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
  if (address.startsWith('/static/')) {
    assert.match(await (await fetch(`${url}${address}`)).text(), /<h1/, `${name}: no page of the guide`);
    continue;
  }
  const definition = await open(address.split('/').pop());
  const states = Object.values(await shown(definition));
  assert.ok(!states.some((state) => state.startsWith('error')), `${name}: ${states}`);
  const values = await page.locator('input').evaluateAll((inputs) => inputs.map(({ value }) => value));
  assert.ok(values.includes(notable[needs.at(-1)]), `${name}: ${address} shows ${values}`);
}
say(`${actions.length} workflow actions lead to their pages`);

// One finding of every detection, on a laptop in New York: the sentence, the events, the steps, and a verdict.
const rowsOf = ({ fields: names, columns: cells }) =>
  (cells[0] ?? []).map((_, at) => Object.fromEntries(names.map(({ name }, column) => [name, cells[column][at]])));
await useBrowser('America/New_York', LAPTOP);
const perDetection = rowsOf(await run('| inputlookup cba_findings | sort 0 - severity_id | dedup detection'));
const stepsOf = rowsOf(await run('| inputlookup cba_steps'));
assert.equal(perDetection.length, new Set(stepsOf.map(({ detection }) => detection)).size, 'a finding of every detection');
const finished = quick ? perDetection.slice(0, 1) : perDetection;
for (const one of finished) {
  const what = `${one.detection} ${one.finding_id}`;
  const definition = await open(`finding?form.finding=${one.finding_id}`);
  for (const [name, state] of Object.entries(await shown(definition))) {
    if (name.match(/summary|events|next|decide|state/) && state !== 'something') faults.push(`${what}: ${name} shows ${state}`);
  }
  const sentences = await panel('summary_panel').innerText();
  for (const [words, why] of [
    [/\d{4}-\d\d-\d\d \d\d:\d\d EST/, 'when, in the zone of who looks'],
    [one.source_kind === 'endpoint' ? one.host : one.entity, 'who'],
    [(one.operations ?? '').split(' | ')[0], 'what was done'],
    [`It is ${one.severity}, because`, 'why it is so severe'],
    [one.explanation, 'what is new, to the end'],
  ]) {
    const there = words instanceof RegExp ? words.test(sentences) : sentences.includes(words);
    if (!there) faults.push(`${what}: the sentence does not say ${why}: ${words}`);
  }
  if (/\(active on (\d+) days|undefined|null/.test(sentences)) faults.push(`${what}: ${sentences}`);
  for (const [size, look] of [[LAPTOP, 'light'], [DESK, 'light'], [DESK, 'dark'], [LAPTOP, 'dark']]) {
    await page.setViewportSize(size);
    if (size === DESK && look === 'dark') await theme('dark');
    await drawn(definition);
    await checkLayout(`${what}, ${look}, ${size.width}`);
    if ((await panel('summary_panel').innerText()) !== sentences) faults.push(`${what}: says something else in ${look} at ${size.width}`);
    if (one === perDetection[0]) await page.screenshot({ path: `${folder}/finding-${look}-${size.width}-new-york.png` });
  }
  await theme('light');
  await drawn(definition);
  const top = await panel('summary_panel').boundingBox();
  if (top.y > 200) faults.push(`${what}: the sentence begins ${top.y} pixels below the top`);
  const parts = await panel('events_panel').locator('tbody tr').allInnerTexts();
  if (!parts.some((text) => /the finding|its chain/.test(text))) faults.push(`${what}: none of its events is shown`);
  const steps = await panel('next_panel').locator('tbody tr').count();
  if (steps !== stepsOf.filter(({ detection }) => detection === one.detection).length) faults.push(`${what}: ${steps} steps`);
  for (const name of ['steps_panel', 'pivots_panel']) {
    const { dataSources } = definition.visualizations[name];
    const chain = definition.dataSources[dataSources.primary].options.query;
    const base = definition.dataSources.finding.options.query.replaceAll('$finding|s$', `"${one.finding_id}"`);
    const searches = rowsOf(await run(`${base}\n${chain}`));
    if (name === 'steps_panel' && !searches.length) faults.push(`${what}: no searches`);
    for (const { _search, _earliest, _latest } of searches) {
      if (WRITES.test(_search)) continue;
      const answer_ = await run(_search, String(_earliest), String(_latest));
      if (answer_.message) faults.push(`${what}: ${_search}: ${answer_.message}`);
      else if (name === 'pivots_panel' && !answer_.columns[0]?.length) faults.push(`${what}: nobody used it: ${_search}`);
    }
  }
  if (one === perDetection[0]) await page.screenshot({ path: `${folder}/laptop-finding.png` });
  await panel('decide_panel').locator('tbody tr', { hasText: 'It is an attack' }).locator('td').first().click();
  await page.waitForURL(/verdict\.html/);
  await page.locator('#teaches li').first().waitFor();
  for (const [size, look] of [[DESK, 'light'], [DESK, 'dark'], [LAPTOP, 'dark'], [LAPTOP, 'light']]) {
    await page.setViewportSize(size);
    await page.emulateMedia({ colorScheme: look });
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    if (wide > 0) faults.push(`${what}: the form is ${wide} pixels too wide in ${look} at ${size.width}`);
    if (one === perDetection[0]) await page.screenshot({ path: `${folder}/verdict-${look}-${size.width}.png` });
  }
  const taught = await decide('seen "it" | with <b>my</b> own \\ eyes, ünder 5 °C');
  if (one === perDetection[0]) await page.screenshot({ path: `${folder}/laptop-verdict.png`, fullPage: true });
  await back();
  if (!/in progress[\s\S]*malicious/.test(await panel('state_panel').innerText())) faults.push(`${what}: the verdict does not show`);
  const values = rowsOf(await run(`| inputlookup cba_verdicts where finding_id="${one.finding_id}"`));
  const lessons = taught.filter((line) => !line.startsWith('It teaches nothing'));
  if (values.length !== lessons.length) faults.push(`${what}: ${lessons.length} values were to be taught, ${values.length} were`);
  for (const { entity: whom, verdict } of values) {
    if (verdict !== 'malicious' || !lessons.some((line) => line.includes(whom === 'organization' ? 'everybody' : whom))) faults.push(`${what}: taught ${whom}`);
  }
}
say(`finished a case of each of ${finished.length} detections in New York`);

// On a laptop the list comes first, and a click on a header sorts.
await open('findings?form.status=all');
const inSight = await panel('list_panel').locator('tbody tr').evaluateAll(
  (rows) => rows.filter((row) => row.getBoundingClientRect().bottom <= document.querySelector('[data-id=list_panel] [data-test=scroll-container]').getBoundingClientRect().bottom && row.getBoundingClientRect().bottom <= window.innerHeight).length
);
if (inSight < 8) faults.push(`findings: ${inSight} rows are in sight at 1366x768`);
await page.screenshot({ path: `${folder}/laptop-findings.png` });
const ranks = async () => (await panel('list_panel').locator('tbody tr td:nth-child(2)').allInnerTexts()).map(Number);
const descending = await ranks();
assert.deepEqual(descending, [...descending].sort((one, other) => other - one), 'the most severe first');
await panel('list_panel').locator('th', { hasText: 'Rank' }).click();
await settled();
const ascending = await ranks();
assert.deepEqual(ascending, [...ascending].sort((one, other) => one - other), 'a click on the header sorts');
say(`${inSight} findings in sight on a laptop, sorted by rank`);

// Whatever is typed into an input stays a value.
const EVERY_HOSTILE = [
  'a"b', "it's | delete", '" | outputlookup cba_verdicts | search "', '[| makeresults] `cba_triage` $finding$', '\\', '%*"*',
  '<img src=x onerror="window.hacked=1">', 'ünïcode 名前 🦊', 'x'.repeat(3_000),
];
const HOSTILE = quick ? EVERY_HOSTILE.filter((value) => value.includes('outputlookup')) : EVERY_HOSTILE;
for (const name of pages) {
  const definition = await viewOf(name);
  for (const [id, { type, title, options }] of Object.entries(definition.inputs)) {
    if (type !== 'input.text') continue;
    await open(name);
    for (const value of HOSTILE) {
      const input = page.locator(`[data-input-id="${id}"] input`);
      await input.fill(value);
      await input.press('Enter');
      await page.waitForFunction(([token, wanted]) => window.cbaTokens.default[token] === wanted, [options.token, value]);
      await drawn(definition);
      for (const [item, state] of Object.entries(await shown(definition))) {
        if (state.startsWith('error')) faults.push(`${name}, ${title} is ${value.slice(0, 40)}: ${item} shows ${state}`);
      }
      const messages = await page.locator('[data-test=message]').allInnerTexts();
      const wrong = messages.filter((text) => /\(ad hoc\)|at \d+:/.test(text));
      if (wrong.length) faults.push(`${name}, ${title} is ${value.slice(0, 40)}: ${wrong[0]}`);
    }
  }
}
// What only chooses takes what the address says.
for (const name of pages) {
  const { inputs } = await viewOf(name);
  const choices = Object.values(inputs).filter(({ type }) => type === 'input.dropdown').map(({ options }) => options.token);
  for (const value of choices.length ? HOSTILE : []) {
    await page.goto(`${url}${APP}/${name}?${new URLSearchParams(choices.map((token) => [`form.${token}`, value]))}`);
    // What follows on a search that is refused is not asked.
    await page.waitForFunction(() => window.cbaSearches?.asked > 0 && window.cbaSearches.answered === window.cbaSearches.asked);
    await settled();
    const messages = await page.locator('[data-test=message]').allInnerTexts();
    const wrong = messages.filter((text) => /\(ad hoc\)|at \d+:/.test(text) && !/there is no saved search 'CBA - /.test(text));
    if (wrong.length) faults.push(`${name}, ${choices} are ${value.slice(0, 40)}: ${wrong[0]}`);
  }
}
await page.goto(`${url}${FORM}?findings=${perDetection[0].finding_id}`);
for (const value of HOSTILE) {
  await page.locator('#teaches li').first().waitFor();
  const kept = value.slice(0, 200); // as many letters as the field takes
  await page.locator('[name=owner]').fill(kept);
  await decide(value);
  await page.waitForFunction(
    ([owner, why]) => document.querySelector('#said td:nth-child(5)').textContent === owner && document.querySelector('#said td:nth-child(6)').textContent === why,
    [kept.trim(), value.trim()]
  );
}
for (const value of HOSTILE) {
  await page.goto(`${url}${FORM}?findings=${encodeURIComponent(value)}&verdict=${encodeURIComponent(value)}&back=${encodeURIComponent(value)}`);
  await page.locator('#message.bad').waitFor();
}
assert.equal(await page.evaluate(() => window.hacked), undefined);
assert.equal((await run('| inputlookup cba_verdicts | stats count')).columns[0][0], String(rowsOf(await run('| inputlookup cba_verdicts')).length));
say(`${HOSTILE.length} hostile values in every input`);

// What a screen reader and a keyboard need, on every page, light and dark.
const axe = readFileSync(new URL('../../viewer/node_modules/axe-core/axe.min.js', import.meta.url), 'utf8');
for (const look of quick ? ['light'] : ['light', 'dark']) {
  await useBrowser('America/New_York', LAPTOP, look);
  for (const path of [...pages, FORM]) {
    if (path === FORM) {
      await page.goto(`${url}${FORM}?findings=${perDetection.slice(0, 3).map((one) => one.finding_id)}&verdict=benign`);
      await page.locator('#teaches li').first().waitFor();
    } else {
      const definition = await open(path);
      if (look === 'dark' && path === pages[0]) await theme('dark'); // the browser remembers it
      await drawn(definition);
    }
    await page.evaluate(axe);
    const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ['violations'] }));
    for (const { id, impact, nodes, help } of violations) {
      const ours = nodes.map(({ target }) => target.join(' ')).filter((at) => path === FORM || !OF_RENDERER[id]?.test(at));
      if (['serious', 'critical'].includes(impact) && ours.length) faults.push(`${path}, ${look}: ${help} (${id}): ${ours[0]}`);
    }
  }
}
await useBrowser('UTC', SIZES[1280]);
say('axe-core looked at every page');

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

const middle = (numbers) => [...numbers].sort((one, other) => one - other)[Math.floor(numbers.length / 2)];
for (const [name, times] of Object.entries(took)) {
  say(`${name} is drawn after ${(middle(times) / 1000).toFixed(1)} s (middle of ${times.length}, at most ${(Math.max(...times) / 1000).toFixed(1)} s)`);
}

assert.deepEqual(faults, []);
await browser.close();
