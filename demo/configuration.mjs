// Screenshots of the tabs of the configuration page, all groups of a tab open.
// Usage: node configuration.mjs URL CHROMIUM FOLDER TAB ...
import { createRequire } from 'node:module';

const { chromium } = createRequire(new URL('../viewer/package.json', import.meta.url))('playwright-core');
const [url, executablePath, folder, ...tabs] = process.argv.slice(2);
const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] });
const page = await (await browser.newContext({ viewport: { width: 1280, height: 1000 }, locale: 'en-US' })).newPage();
page.setDefaultTimeout(60_000);
for (const tab of tabs) {
  await page.goto(`${url}/en-US/app/cloud_behavior_analytics/configuration?tab=${tab}`);
  // All tabs are in the page; one of them is seen.
  const save = page.locator('button:visible', { hasText: 'Save' });
  await save.waitFor();
  const closed = page.locator('[aria-expanded=false][data-test=toggle]:visible');
  while (await closed.count()) await closed.first().click();
  await page.waitForTimeout(1000);
  const { y, height } = await save.boundingBox();
  const clip = { x: 0, y: 0, width: 1280, height: Math.min(y + height + 24, 1400) };
  await page.screenshot({ path: `${folder}/configuration-${tab}.png`, clip, fullPage: true });
}
await browser.close();
