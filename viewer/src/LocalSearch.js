import DataSource from '@splunk/datasources/DataSource';
import SplunkSearch from '@splunk/datasources/SplunkSearch';
import DataSet from '@splunk/datasource-utils/DataSet';

// In Splunk the time zone is a setting of the user; here it is that of the browser.
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;

async function ask(body) {
  const answer = await fetch('/api/search', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ ...body, zone }),
  });
  const found = await answer.json();
  if (!answer.ok) throw new Error(found.message);
  return found;
}

/** Runs SPL on the lab's search head; rejects with its message. */
export const search = (query, earliest, latest) =>
  ask({ query, earliest: earliest ?? '', latest: latest ?? '' });

// Whether all searches of a page have been answered: for tests/browser.
window.cbaSearches = { asked: 0, answered: 0 };

/** What Splunk's own data source appends when a click on a header sorts (createSortPostprocessSearch). */
function sorting(sort) {
  const signs = { asc: '+', desc: '-' };
  const keys = Object.entries(sort ?? {}).filter(([, way]) => signs[way]);
  return keys.length ? `\n| sort 0 ${keys.map(([field, way]) => `${signs[way]}"${field}"`).join(', ')}` : '';
}

/** ds.search, ds.savedSearch and ds.chain of Dashboard Studio against the lab. Options come with tokens filled in. */
export default class LocalSearch extends DataSource {
  static schema = SplunkSearch.schema;

  static config = SplunkSearch.config;

  // A chain hears here of its base's job, and runs again for each new one.
  getObserver() {
    return {
      next: ({ meta }) => {
        this.refresh = this.base?.sid !== meta.sid;
        if (this.refresh) {
          this.base = meta;
          this.jobs = {};
        }
      },
      error() {},
      complete() {},
    };
  }

  shouldRefreshSubscription() {
    return this.refresh;
  }

  // A chain goes on with its base's results, and what is sorted with its own.
  async run(sorted) {
    const { query = '', queryParameters = {}, extend } = this.options;
    const { earliest, latest } = extend ? this.base : queryParameters;
    const text = extend ? `${this.base.search}\n${query}` : query;
    const meta = { search: text + sorted, earliest, latest, status: 'done', percentComplete: 100 };
    window.cbaSearches.asked += 1;
    try {
      let found;
      if (sorted) found = await ask({ query: sorted, job: (await this.job('')).meta.sid });
      else if (extend) found = await ask({ query, job: this.base.sid });
      else found = await search(query, earliest, latest);
      return { ...found, meta: { ...meta, sid: found.job } };
    } catch (problem) {
      throw Object.assign(problem, { meta: { ...meta, sid: 'local.failed' } });
    } finally {
      window.cbaSearches.answered += 1;
    }
  }

  /** The job whose rows are sorted so: one for all panels that show the source. */
  job(sorted) {
    this.jobs = this.jobs ?? {};
    this.jobs[sorted] = this.jobs[sorted] ?? this.run(sorted);
    return this.jobs[sorted];
  }

  // Before it runs again, for a source with `refresh`.
  async teardown() {
    this.jobs = {};
  }

  // Called once per panel that shows the source.
  request({ offset = 0, count = 0, sort } = {}) {
    return (observer) => {
      if (this.options.extend && !this.base) return () => {};
      let wanted = true;
      const sorted = sorting(sort);
      this.job(sorted).then(
        ({ fields, columns, meta }) => {
          if (!wanted) return;
          const data = DataSet.fromJSONCols(fields, columns);
          observer.next({
            data: data.getPage({ offset, count }),
            meta: { ...meta, totalCount: columns.length ? columns[0].length : 0 },
          });
          observer.complete();
        },
        (problem) => wanted && observer.error({ level: 'error', message: problem.message, meta: problem.meta })
      );
      return () => {
        wanted = false;
      };
    };
  }
}
