// A triage as an analyst does it, a screenshot of each step: from the list to a finding, its evidence, the entity, and a verdict.
// Usage: node picture.mjs URL CHROMIUM FOLDER      (demo/picture.py makes one animated picture of them)
import { createRequire } from 'node:module';

const { chromium } = createRequire(new URL('../viewer/package.json', import.meta.url))('playwright-core');
const [url, executablePath, folder] = process.argv.slice(2);
const APP = `${url}/app/cloud_behavior_analytics`;
const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] });
const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, timezoneId: 'UTC', locale: 'en-GB' });
context.setDefaultTimeout(60_000);
const page = await context.newPage();

const search = async (query) => {
  const asked = { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ query, earliest: '', latest: '' }) };
  const { fields, columns } = await (await fetch(`${url}/api/search`, asked)).json();
  return Object.fromEntries(fields.map(({ name }, at) => [name, columns[at][0]]));
};

/** Until every search has been answered and the page no longer changes. */
async function settled() {
  await page.waitForFunction(() => window.cbaSearches?.asked > 0 && window.cbaSearches.answered === window.cbaSearches.asked);
  for (let same = 0, before = ''; same < 2; ) {
    await page.waitForTimeout(500);
    const now = (await page.screenshot()).toString('base64');
    same = now === before ? same + 1 : 0;
    before = now;
  }
}

let step = 0;
async function take(caption) {
  step += 1;
  await page.evaluate((text) => {
    document.getElementById('cba-caption')?.remove();
    const bar = document.createElement('div');
    bar.id = 'cba-caption';
    bar.textContent = text;
    bar.style = 'position:fixed;left:0;right:0;bottom:0;padding:12px 20px;background:#0072B2;color:#fff;font:600 18px sans-serif;z-index:99999';
    document.body.append(bar);
  }, `${step}  ${caption}`);
  await page.screenshot({ path: `${folder}/${String(step).padStart(2, '0')}.png` });
}

/** Scrolls a panel to the top of what is seen. */
async function scrolled(name) {
  await page.locator(`[data-test=viz-item][data-id="${name}"]`).evaluate((item) => item.scrollIntoView({ block: 'start' }));
  await page.waitForTimeout(800);
}

const worst = await search('| inputlookup cba_findings where severity="high" | sort 0 - anomaly_score | head 1 | table finding_id entity');
await page.goto(`${APP}/findings`);
await settled();
await take('The list: what is open, the most severe first. A row opens the finding.');
await page.goto(`${APP}/finding?form.finding=${encodeURIComponent(worst.finding_id)}`);
await settled();
await take('The finding: what happened, why it is so severe, what is new, and the events themselves.');
await scrolled('decide_panel');
await take('What to look at next, what else it touched, and searches that are filled in already.');
await scrolled('peers_panel');
await take('How common it is among others of the project, and what it was compared with.');
await page.goto(`${APP}/entity?form.entity=${encodeURIComponent(worst.entity)}`);
await settled();
await take('The entity: its normal life, day by day, and the break in it.');
await page.goto(`${url}/static/app/cloud_behavior_analytics/verdict.html?findings=${worst.finding_id}&verdict=malicious`);
await page.locator('#teaches li').first().waitFor();
await page.locator('[name=comment]').fill('Not them; sessions revoked.');
await page.locator('[name=comment]').evaluate((field) => field.scrollIntoView({ block: 'center' }));
await take('The verdict: the form says what it will teach before it is given.');
await page.locator('#give').click();
await page.locator('#message.good').waitFor();
await page.locator('#back').click();
await page.waitForURL(/finding/);
await settled();
await take('It is decided: malicious never becomes normal.');
await browser.close();
