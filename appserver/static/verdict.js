// The page on which verdicts are given. Its address only says which findings it is about and what is chosen at first;
// nothing is given before the button is pressed. It talks to one endpoint of the app (default/web.conf), which says what
// a verdict would teach, and writes it under the name that splunkd knows.
'use strict';

const APP = 'cloud_behavior_analytics';
const PAGES = ['finding', 'findings', 'entity', 'tuning'];
const asked = new URLSearchParams(window.location.search);
const ids = [...new Set((asked.get('findings') || '').split(',').map((id) => id.trim()).filter(Boolean))];
const byId = (id) => document.getElementById(id);
const form = byId('decision');
let known = []; // what the handler says of the findings, in their order
let turn = 0; // of the latest question: an answer to an older one is not shown

// Splunk Web's root and language are part of its addresses: /en-US/static/app/…, also with a version in between.
const before = window.location.pathname.split('/static/')[0];
const root = /\/[a-z]{2}(-[A-Z]{2})?$/.test(before) ? before : `${before}/en-US`;

/** The form key of this session, as Splunk's own pages read it (getCSRFToken of its package splunk-utils). */
function formKey() {
  const cookies = document.cookie.split('; ').map((text) => text.split('='));
  const own = `splunkweb_csrf_token_${window.location.port}`;
  const found = cookies.find(([name]) => name === own) || cookies.find(([name]) => name.startsWith('splunkweb_csrf_token_'));
  return found ? decodeURIComponent(found[1]) : '';
}

/** Posts to the app's handler; rejects with a sentence that says what to do. */
async function post(document_) {
  const address = `${root}/splunkd/__raw/servicesNS/nobody/${APP}/cba_decide`;
  let answer;
  try {
    answer = await fetch(address, {
      method: 'POST',
      credentials: 'same-origin',
      headers: { 'Content-Type': 'application/json', 'X-Requested-With': 'XMLHttpRequest', 'X-Splunk-Form-Key': formKey() },
      body: JSON.stringify(document_),
    });
  } catch (problem) {
    throw new Error('Splunk does not answer. Nothing was written; try again in a moment.');
  }
  let said = null;
  try {
    said = await answer.json();
  } catch (problem) {
    said = null;
  }
  if (answer.ok && said) return said;
  if (answer.status === 401) throw new Error('You are not signed in. Sign in to Splunk, and open this page again.');
  const message = said && said.messages && said.messages[0] && said.messages[0].text;
  throw new Error(message || `Splunk refuses this (${answer.status}). Nothing was written; reload the page and try again.`);
}

function element(name, text, className) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  if (className) made.className = className;
  return made;
}

/** A time in the zone of this browser, and which that is. */
const when = (seconds) =>
  new Date(seconds * 1000).toLocaleString([], { dateStyle: 'medium', timeStyle: 'short' }) +
  ` ${new Intl.DateTimeFormat([], { timeZoneName: 'short' }).formatToParts(new Date(seconds * 1000)).find(({ type }) => type === 'timeZoneName').value}`;

function say(text, className) {
  byId('message').textContent = text;
  byId('message').className = className || '';
}

const chosen = () => known.filter((each) => !each.problem && (known.length === 1 || byId(`of-${each.finding_id}`).checked));

function draw() {
  const list = byId('findings');
  list.replaceChildren();
  for (const each of known) {
    const item = element('li', undefined, each.severity);
    if (each.problem) {
      item.append(element('strong', each.finding_id), element('p', each.problem, 'bad'));
      list.append(item);
      continue;
    }
    const text = element('span');
    text.append(element('strong', `${each.severity}: ${each.name}`));
    text.append(element('p', [each.entity, each.country, `${each.count} ${each.count === 1 ? 'event' : 'events'}`, `since ${when(each.first_time)}`]
      .filter(Boolean).join(' · ')));
    text.append(element('p', each.explanation));
    const verdict = each.said.verdict ? `, called ${each.said.verdict}` : '';
    text.append(element('p', `${each.said.status}${verdict}${each.said.owner ? `, assigned to ${each.said.owner}` : ''}`));
    const label = element('label');
    if (known.length > 1) {
      const box = element('input');
      box.type = 'checkbox';
      box.id = `of-${each.finding_id}`;
      box.addEventListener('change', refresh);
      label.append(box);
    }
    label.append(text);
    item.append(label);
    list.append(item);
  }
  byId('choose').hidden = known.length < 2;
  const [only] = known;
  const past = known.length === 1 && !only.problem ? history(only.said) : [];
  byId('past').hidden = !past.length;
  byId('said').replaceChildren(...past);
}

function history(said) {
  const earlier = JSON.parse(said.earlier_verdicts || '[]');
  if (said.triaged_time) {
    earlier.push({ verdict: said.verdict, by: said.triaged_by, time: said.triaged_time, comment: said.comment, status: said.status, owner: said.owner });
  }
  return earlier.reverse().map((each) => {
    const row = element('tr');
    for (const cell of [when(each.time), each.by, each.verdict || 'none', each.status || '', each.owner || '', each.comment]) row.append(element('td', cell));
    return row;
  });
}

/** The scopes that all chosen findings can be judged in. */
function drawScopes() {
  const select = form.elements.scope;
  const held = select.value || asked.get('scope') || '';
  const of = chosen();
  const common = of.length ? of[0].scopes.filter(({ scope }) => of.every((each) => each.scopes.some((other) => other.scope === scope))) : [];
  select.replaceChildren(
    ...common.map(({ scope, whom }) => {
      const option = element('option', of.length > 1 && !scope ? 'whom each finding is about' : of.length > 1 ? `the ${scope}` : whom);
      option.value = scope;
      return option;
    })
  );
  if (common.some(({ scope }) => scope === held)) select.value = held;
  select.disabled = form.elements.verdict.value === '' || !common.length;
}

/** Asks what the verdict would teach, and says why it cannot be given yet. */
async function refresh() {
  turn += 1;
  const mine = turn;
  drawScopes();
  byId('give').disabled = true;
  const of = chosen();
  const verdict = form.elements.verdict.value;
  const list = byId('teaches');
  if (!of.length || !verdict) {
    list.replaceChildren(element('li', of.length ? 'Nothing: no verdict, no value is judged.' : 'Choose a finding first.'));
    ready([]);
    return;
  }
  try {
    const told = await post({ decide: 'preview', findings: of.map((each) => each.finding_id), verdict, scope: form.elements.scope.value });
    if (mine !== turn) return;
    const lines = [];
    const problems = [];
    for (const each of told.findings) {
      if (each.problem) problems.push(each.problem);
      for (const line of each.teaches) if (!lines.includes(line)) lines.push(line);
    }
    list.replaceChildren(...lines.map((line) => element('li', line)), ...problems.map((line) => element('li', line, 'bad')));
    ready(problems);
  } catch (problem) {
    if (mine === turn) say(problem.message, 'bad');
  }
}

function ready(problems) {
  const of = chosen();
  const nothing = form.elements.verdict.value === '' && !form.elements.status.value && !form.elements.owner.value.trim();
  const missing = !of.length ? 'Choose a finding first.'
    : problems.length ? 'This cannot be given; see above.'
    : nothing ? 'Choose a verdict, a status or an assignee.'
    : !form.elements.comment.value.trim() ? 'Write why: whoever looks next needs it.' : '';
  byId('why').textContent = missing;
  byId('give').disabled = Boolean(missing);
  const verb = form.elements.verdict.value === '' ? 'Save' : 'Give the verdict';
  byId('give').textContent = of.length > 1 ? `${verb} on ${of.length} findings` : verb;
}

async function give(event) {
  event.preventDefault();
  if (byId('give').disabled) return;
  byId('give').disabled = true;
  const of = chosen().map((each) => each.finding_id);
  const { verdict, scope, status, owner, comment } = form.elements;
  const taught = [...byId('teaches').querySelectorAll('li')].map((item) => item.textContent);
  try {
    await post({
      decide: 'findings',
      findings: of,
      verdict: verdict.value,
      scope: verdict.value ? scope.value : '',
      status: status.value,
      owner: owner.value.trim(),
      comment: comment.value.trim(),
    });
    known = (await post({ decide: 'preview', findings: ids, verdict: '' })).findings;
    const said = known.filter((each) => of.includes(each.finding_id)).map((each) => each.said.status);
    const states = [...new Set(said)].join(', ');
    say(`Done: ${of.length === 1 ? 'the finding is' : `${of.length} findings are`} ${states}. ${verdict.value ? taught.join(' ') : ''}`, 'good');
    form.elements.comment.value = '';
    draw();
    await refresh();
    byId('back').focus();
  } catch (problem) {
    say(problem.message, 'bad');
    byId('give').disabled = false;
  }
}

function choose(all) {
  for (const box of byId('findings').querySelectorAll('input')) box.checked = all;
  refresh();
}

async function start() {
  const from = PAGES.includes(asked.get('back')) ? asked.get('back') : ids.length === 1 ? 'finding' : 'findings';
  const query = from === 'finding' && ids.length === 1 ? `?form.finding=${encodeURIComponent(ids[0])}` : '';
  byId('back').href = `${before}/app/${APP}/${from}${query}`;
  byId('back').textContent = from === 'finding' ? 'Back to the finding' : `Back to the page ${from[0].toUpperCase()}${from.slice(1)}`;
  if (!ids.length) {
    say('This page is about no finding. Open one from the page Findings, and choose a verdict there.', 'bad');
    return;
  }
  try {
    const told = await post({ decide: 'preview', findings: ids, verdict: '' });
    known = told.findings;
    form.elements.owner.placeholder = told.by;
  } catch (problem) {
    say(problem.message, 'bad');
    return;
  }
  draw();
  if (!known.some((each) => !each.problem)) {
    say('There is nothing to give a verdict on.', 'bad');
    byId('form').hidden = false;
    form.hidden = true;
    return;
  }
  const first = ['benign', 'malicious', 'clear', ''].includes(asked.get('verdict')) ? asked.get('verdict') : '';
  form.elements.verdict.value = first;
  say(known.length === 1 ? '' : `${known.length} findings.`);
  byId('form').hidden = false;
  // Only what changes the lesson asks for it anew: a text that loses the focus to the button must not disable it.
  const lesson = (event) => ['verdict', 'scope'].includes(event.target.name);
  form.addEventListener('change', (event) => lesson(event) && refresh());
  form.addEventListener('input', (event) => {
    if (!lesson(event)) ready([...byId('teaches').querySelectorAll('.bad')]);
  });
  form.addEventListener('submit', give);
  byId('all').addEventListener('click', () => choose(true));
  byId('none').addEventListener('click', () => choose(false));
  await refresh();
}

start();
