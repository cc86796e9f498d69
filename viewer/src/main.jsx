import React, { useEffect, useState } from 'react';
import { createRoot } from 'react-dom/client';
import { DashboardContextProvider } from '@splunk/dashboard-context';
import { createSchemaBasedOnPresets } from '@splunk/dashboard-definition';
import DashboardCore from '@splunk/dashboard-core';
import CloudViewOnlyPreset from '@splunk/dashboard-presets/CloudViewOnlyPreset';
import EnterpriseViewOnlyPreset from '@splunk/dashboard-presets/EnterpriseViewOnlyPreset';
import SplunkThemeProvider from '@splunk/themes/SplunkThemeProvider';
import GeoJsonProvider from '@splunk/visualization-context/GeoJsonProvider';
import GeoRegistry from '@splunk/visualization-context/GeoRegistry';
import LocalSearch from './LocalSearch';
import Navigation from './Navigation';
import SavedSearches from './SavedSearches';
import SearchPage from './SearchPage';

const preset = {
  ...EnterpriseViewOnlyPreset,
  dataSources: {
    ...EnterpriseViewOnlyPreset.dataSources,
    'ds.search': LocalSearch,
    'ds.savedSearch': LocalSearch,
    'ds.chain': LocalSearch,
  },
  // Enterprise's own time picker asks splunkweb for its presets.
  inputs: {
    ...EnterpriseViewOnlyPreset.inputs,
    'input.timerange': CloudViewOnlyPreset.inputs['input.timerange'],
  },
};

// For tests/browser, which keeps a copy for the tests that need no browser.
window.cbaSchema = () => createSchemaBasedOnPresets(preset);

const geoRegistry = GeoRegistry.create();
geoRegistry.addDefaultProvider(new GeoJsonProvider());

function chosenTheme() {
  const asked = new URLSearchParams(window.location.search).get('theme');
  return asked ?? localStorage.getItem('theme') ?? 'light';
}

function View({ name, theme }) {
  const [view, setView] = useState(null);
  useEffect(() => {
    fetch(`/api/view/${name}`).then(async (answer) => setView(await answer.json()));
  }, [name]);
  if (!view) return null;
  if (view.message) return <p style={{ padding: 24 }}>{view.message}</p>;
  document.title = `${view.label} | Cloud Behavior Analytics`;
  return (
    <DashboardContextProvider
      preset={preset}
      initialDefinition={view.definition}
      initialMode="view"
      geoRegistry={geoRegistry}
      onTokenBindingChange={(tokens) => {
        window.cbaTokens = tokens;
      }}
    >
      <DashboardCore
        key={theme}
        width="100%"
        height="auto"
        onValidationError={(problem) => {
          window.cbaInvalid = String(problem?.message ?? problem);
        }}
      />
    </DashboardContextProvider>
  );
}

function Content({ path, name, theme }) {
  if (path.startsWith('/manager/')) return <SavedSearches />;
  return name === 'search' ? <SearchPage /> : <View name={name} theme={theme} />;
}

function Page() {
  const [theme, setTheme] = useState(chosenTheme());
  const name = window.location.pathname.split('/').pop();
  const change = () => {
    const next = theme === 'light' ? 'dark' : 'light';
    localStorage.setItem('theme', next);
    setTheme(next);
  };
  document.body.style.background = theme === 'dark' ? '#111215' : '#f2f4f5';
  document.body.style.color = theme === 'dark' ? '#dfe1e5' : '#2c2e33';
  return (
    <SplunkThemeProvider family="enterprise" colorScheme={theme} density="comfortable">
      <Navigation current={name} theme={theme} onTheme={change} />
      <Content path={window.location.pathname} name={name} theme={theme} />
    </SplunkThemeProvider>
  );
}

createRoot(document.getElementById('page')).render(<Page />);
