import React, { useEffect, useState } from 'react';
import { search } from './LocalSearch';

const given = new URLSearchParams(window.location.search);
const cell = { borderBottom: '1px solid #8888', padding: '4px 8px', textAlign: 'left', verticalAlign: 'top' };
const shown = (value) => (Array.isArray(value) ? value.join('\n') : value ?? '');

/** Stands in for Splunk's search page, where links of the pages lead. Nothing runs before the button is pressed unless
 * the link's search only reads: Splunk too asks before a link runs a risky command. */
export default function SearchPage() {
  const [query, setQuery] = useState(given.get('q') ?? '');
  const [range, setRange] = useState([given.get('earliest'), given.get('latest')]);
  const [state, setState] = useState({});
  // A saved search, by its path in REST: /servicesNS/nobody/<app>/saved/searches/<name>.
  useEffect(() => {
    if (!given.get('s')) return;
    const name = decodeURIComponent(given.get('s').split('/').pop());
    fetch(`/api/saved?search=${encodeURIComponent(name)}`).then(async (answer) => {
      const found = (await answer.json()).find((one) => one.name === name);
      setQuery(found?.query ?? `There is no saved search "${name}".`);
      setRange([found?.earliest, found?.latest]);
    });
  }, []);
  const run = () => {
    setState({ running: true });
    search(query, ...range).then(
      (found) => setState({ found }),
      (problem) => setState({ problem: problem.message })
    );
  };
  const { found, problem, running } = state;
  const risky = /\|\s*cba(alerts|verdict|acknowledge|judge|window|forget)\b/.test(query);
  return (
    <main style={{ padding: 16, font: '14px sans-serif' }}>
      <textarea
        data-test="query"
        value={query}
        onChange={(event) => setQuery(event.target.value)}
        rows={Math.min(12, 2 + query.split('\n').length)}
        style={{ width: '100%', boxSizing: 'border-box', font: '13px monospace', padding: 8 }}
      />
      <p>
        <button type="button" data-test="run" onClick={run} style={{ padding: '6px 18px', cursor: 'pointer' }}>
          Search
        </button>{' '}
        {risky && 'This search writes: read it before you run it. '}
        {running && 'Running …'}
      </p>
      {problem && <pre data-test="problem">{problem}</pre>}
      {found && (
        <div data-test="results">
          <p>{found.columns[0]?.length ?? 0} results</p>
          <table style={{ borderCollapse: 'collapse', font: '12px monospace', whiteSpace: 'pre-wrap' }}>
            <thead>
              <tr>
                {found.fields.map(({ name }) => (
                  <th key={name} style={cell}>
                    {name}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {(found.columns[0] ?? []).slice(0, 200).map((_, row) => (
                // eslint-disable-next-line react/no-array-index-key
                <tr key={row}>
                  {found.columns.map((column, at) => (
                    <td key={found.fields[at].name} style={cell}>
                      {shown(column[row])}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </main>
  );
}
