import assert from 'node:assert/strict';

/** One figure of `/metrics`, with all its series. */
export interface Family {
  name: string;
  type: string;
  help: string;
  labels: string[];
  samples: Map<string, number>;
}

const SERIES =
  /^([a-z_]+)(\{[a-z]+="[^"\n]*"(?:,[a-z]+="[^"\n]*")*\})? (-?\d+(?:\.\d+)?(?:e[-+]\d+)?|\+Inf)$/;

/** Reads Prometheus text, and holds it to its rules: each series below the head of its figure, each figure once. */
export function parseExposition(body: string): Map<string, Family> {
  const families = new Map<string, Family>();
  let current: Family | undefined;
  for (const line of body.split('\n')) {
    if (line === '') continue;
    const help = /^# HELP ([a-z_]+) (\S.*)$/.exec(line);
    const type = /^# TYPE ([a-z_]+) (counter|gauge|histogram)$/.exec(line);
    if (help !== null) {
      const [, name = '', text = ''] = help;
      assert.equal(families.has(name), false, `${name} is there twice`);
      current = { name, help: text, type: '', labels: [], samples: new Map() };
      families.set(name, current);
      continue;
    }
    assert.ok(current, `before any head: ${line}`);
    if (type !== null) {
      assert.equal(type[1], current.name);
      current.type = type[2] ?? '';
      continue;
    }
    addSeries(current, line);
  }
  return families;
}

function addSeries(family: Family, line: string): void {
  const [, name = '', labels = '', value] = SERIES.exec(line) ?? assert.fail(`not Prometheus text: ${line}`);
  const base = family.type === 'histogram' ? name.replace(/_(bucket|sum|count)$/, '') : name;
  assert.equal(base, family.name, line);
  assert.equal(family.samples.has(name + labels), false, `twice: ${line}`);
  family.samples.set(name + labels, value === '+Inf' ? Number.POSITIVE_INFINITY : Number(value));
  for (const [, label = ''] of labels.matchAll(/([a-z]+)="/g))
    if (label !== 'le' && !family.labels.includes(label)) family.labels.push(label);
}

/** Every series by its name and labels. */
export function valuesOf(body: string): Map<string, number> {
  return new Map([...parseExposition(body).values()].flatMap(({ samples }) => [...samples]));
}

/** What the conventions of Prometheus have against a figure; `promtool check metrics` knows these and more. */
export function problemsOf({ name, type, help }: Family): string[] {
  const problems: string[] = [];
  if (!/^(hersh|process)_/.test(name)) problems.push('it does not say whose it is');
  if (help === '') problems.push('it has no help');
  if ((type === 'counter') !== name.endsWith('_total'))
    problems.push('_total is for counters, and all of them');
  if (/_(count|sum|bucket|info)$/.test(name) && !(type === 'gauge' && name.endsWith('_info')))
    problems.push('its end is one that Prometheus gives');
  if (/(^|_)(ms|milliseconds|minutes|hours|kb|mb|kilobytes|megabytes|percent|nanos)(_|$)/.test(name))
    problems.push('its unit is none of the base: seconds, bytes');
  if (/(^|_)(counter|gauge|histogram)(_|$)/.test(name)) problems.push('it names its type');
  return problems;
}
