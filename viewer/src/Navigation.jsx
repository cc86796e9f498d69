import React, { useEffect, useState } from 'react';

/** The app's navigation bar, from default/data/ui/nav/default.xml. */
export default function Navigation({ current, theme, onTheme }) {
  const [nav, setNav] = useState({ app: '', label: '', color: '#333', state: '', views: [] });
  useEffect(() => {
    fetch('/api/nav').then(async (answer) => setNav(await answer.json()));
  }, []);
  const link = (active) => ({
    color: '#fff',
    textDecoration: 'none',
    padding: '12px 14px',
    borderBottom: `3px solid ${active ? '#fff' : 'transparent'}`,
  });
  return (
    <nav
      data-test="app-nav"
      style={{
        background: nav.color,
        color: '#fff',
        display: 'flex',
        alignItems: 'center',
        font: '14px "Splunk Platform Sans", "Helvetica Neue", Arial, sans-serif',
        padding: '0 16px',
      }}
    >
      {nav.views.map((view) => (
        <a key={view.name} href={`/app/${nav.app}/${view.name}`} style={link(view.name === current)}>
          {view.label}
        </a>
      ))}
      <span style={{ flex: 1 }} />
      <span style={{ marginRight: 16 }}>{nav.state}</span>
      <button
        type="button"
        onClick={onTheme}
        style={{ background: 'none', border: '1px solid #fff', borderRadius: 3, color: '#fff', cursor: 'pointer' }}
      >
        {theme === 'light' ? 'dark' : 'light'}
      </button>
      <strong style={{ marginLeft: 16 }}>{nav.label}</strong>
    </nav>
  );
}
