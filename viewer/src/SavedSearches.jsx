import React, { useEffect, useState } from 'react';

const text = new URLSearchParams(window.location.search).get('search') ?? '';
const cell = { borderBottom: '1px solid #8888', padding: '6px 8px', textAlign: 'left', verticalAlign: 'top' };
const narrow = { ...cell, whiteSpace: 'nowrap' };

async function saved(path, options) {
  const answer = await fetch(`/api/saved${path}`, options);
  const body = await answer.json();
  if (!answer.ok) throw new Error(body.message);
  return body;
}

/** Stands in for Splunk's list of saved searches, where links of the pages lead. */
export default function SavedSearches() {
  const [found, setFound] = useState([]);
  const [problem, setProblem] = useState('');
  const failed = (error) => setProblem(error.message);
  useEffect(() => {
    saved(`?search=${encodeURIComponent(text)}`).then(setFound, failed);
  }, []);
  const change = (one) => {
    const body = JSON.stringify({ name: one.name, enabled: !one.enabled });
    saved('', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body })
      .then(([changed]) => setFound(found.map((other) => (other.name === one.name ? changed : other))))
      .catch(failed);
  };
  return (
    <main style={{ padding: 16, font: '14px sans-serif' }}>
      <h2 style={{ margin: '0 0 4px' }}>Searches, reports, and alerts: {text || 'all'}</h2>
      <p>In Splunk they run on their schedule from then on. Here nothing runs by itself; the pages say what is on.</p>
      {problem && <pre data-test="problem">{problem}</pre>}
      <table data-test="saved" style={{ borderCollapse: 'collapse' }}>
        <tbody>
          {found.map((one) => (
            <tr key={one.name}>
              <td style={narrow}>
                <a style={{ color: 'inherit' }} href={`/app/search/search?s=/${encodeURIComponent(one.name)}`}>
                  {one.name}
                </a>
              </td>
              <td style={narrow}>{{ true: 'on', false: 'off' }[one.enabled] ?? 'run by hand'}</td>
              <td style={cell}>
                {one.enabled !== null && (
                  <button type="button" onClick={() => change(one)} style={{ cursor: 'pointer' }}>
                    {one.enabled ? 'Disable' : 'Enable'}
                  </button>
                )}
              </td>
              <td style={cell}>{one.description}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </main>
  );
}
