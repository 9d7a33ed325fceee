import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { ROOT } from '../../setup/host-settings.ts';
import { allFigures } from './all-figures.ts';
import { type Family, parseExposition } from './exposition.ts';

const read = (name: string) => readFileSync(join(ROOT, 'docs', name), 'utf8');
const families = parseExposition((await allFigures().text()).body);

/** What Prometheus itself adds of each target. */
const OF_PROMETHEUS = ['job', 'instance'];

/** What an expression names that the host does not give, by figure and by label. */
function unknownIn(expression: string): string[] {
  const unknown: string[] = [];
  const bare = expression.replaceAll(/"[^"]*"/g, '""');
  for (const [, name = '', labels = ''] of bare.matchAll(/\b((?:hersh|process)_\w+)(?:\{([^}]*)\})?/g)) {
    const family = families.get(name) ?? histogramOf(name);
    if (family === undefined) unknown.push(name);
    for (const [label] of labels.matchAll(/\w+(?=\s*[=!])/g))
      if (family !== undefined && ![...family.labels, ...OF_PROMETHEUS].includes(label))
        unknown.push(`${name}{${label}}`);
  }
  return unknown;
}

function histogramOf(name: string): Family | undefined {
  const family = families.get(name.replace(/_(bucket|sum|count)$/, ''));
  return family?.type === 'histogram' ? family : undefined;
}

test('docs/metrics.md lists what the host gives, each with its type and labels, and nothing else', () => {
  const rows = [...read('metrics.md').matchAll(/^\| `(\w+_\w+)` \| (\w+) \|([^|]*)\|/gm)];
  const listed = rows.map(
    ([, name, type, labels = '']) => `${name} ${type} ${labels.replaceAll('`', '').trim()}`,
  );
  const given = [...families.values()].map(
    ({ name, type, labels }) => `${name} ${type} ${labels.join(', ')}`,
  );
  assert.deepEqual(listed.map((one) => one.trim()).sort(), given.map((one) => one.trim()).sort());
});

test('docs/metrics.md lists each alert', () => {
  const { groups } = parse(read('alerts.yaml')) as { groups: { rules: { alert: string }[] }[] };
  const alerts = groups.flatMap(({ rules }) => rules.map(({ alert }) => alert));
  const listed = [...read('metrics.md').matchAll(/^\| `(Hersh\w+)` \|/gm)].map(([, name]) => name);
  assert.deepEqual(listed.sort(), alerts.sort());
});

test('the alert rules and their tests name only what the host gives', () => {
  assert.deepEqual(unknownIn('rate(hersh_nothing_total[5m]) / hersh_queue_depth{state="x"}'), [
    ...['hersh_nothing_total', 'hersh_queue_depth{state}'],
  ]);
  const { groups } = parse(read('alerts.yaml')) as { groups: { rules: { expr: string }[] }[] };
  const { tests } = parse(read('alerts.test.yaml')) as { tests: { input_series: { series: string }[] }[] };
  const expressions = [
    ...groups.flatMap(({ rules }) => rules.map(({ expr }) => expr)),
    ...tests.flatMap(({ input_series }) => input_series.map(({ series }) => series)),
  ];
  assert.ok(expressions.length > 30);
  for (const expression of expressions) assert.deepEqual(unknownIn(expression), [], expression);
});

test('the dashboard shows only what the host gives, all of its panels beside one another', () => {
  const board = JSON.parse(read('grafana-dashboard.json')) as {
    panels: { title: string; targets?: { expr: string }[]; gridPos: Record<'x' | 'y' | 'w' | 'h', number> }[];
    templating: { list: { name: string; definition?: string }[] };
  };
  const expressions = board.panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
  assert.ok(expressions.length > 25, `${expressions.length}`);
  const queries = board.templating.list.flatMap(({ definition }) => definition ?? []);
  for (const one of [...expressions, ...queries]) {
    assert.deepEqual(unknownIn(one), [], one);
    for (const [, name] of one.matchAll(/\$(\w+)/g))
      assert.ok(name === '__rate_interval' || board.templating.list.some((own) => own.name === name), one);
  }
  const taken = new Map<string, string>();
  for (const { title, gridPos } of board.panels)
    for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++)
      for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
        assert.equal(taken.get(`${x} ${y}`), undefined, title);
        assert.ok(x < 24, title);
        taken.set(`${x} ${y}`, title);
      }
});
