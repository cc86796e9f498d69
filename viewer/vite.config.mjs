// No React plugin: nothing is refreshed while it runs; the definitions come from ./dev serve, one build shows them all.
export default {
  build: { target: 'esnext', chunkSizeWarningLimit: 20000 },
  // Splunk's packages read it where a bundler of theirs would have put it.
  define: { 'process.env.NODE_ENV': '"production"' },
};
