import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatCursor, type LogCursor, parseCursor } from '../../schemas/log-line.ts';

test('a cursor is what it was written as', () => {
  const time = '2026-11-22T10:00:00.123456789Z';
  const cursors: LogCursor[] = [
    { container: 'none' },
    { container: 'c0ffee012345' },
    { container: 'c0ffee012345', line: { time, stream: 'stdout', index: 0 } },
    { container: 'c0ffee012345', line: { time, stream: 'stderr', index: 12 } },
    { container: 'c0ffee012345', line: { time, stream: undefined, index: 3 } },
  ];
  for (const cursor of cursors) assert.deepEqual(parseCursor(formatCursor(cursor)), cursor);
  assert.equal(formatCursor(cursors[3] as LogCursor), 'c0ffee012345.1795341600123456789.e.12');
});

test('what is no cursor is none', () => {
  for (const text of [
    '',
    'C0FFEE',
    'c0ffee0123456',
    '../x',
    'c0ffee.1.o',
    'c0ffee.1.z.0',
    'c0ffee.-1.o.0',
    'c0ffee.99999999999999999999.o.0',
    'c0ffee.1.o.0\n',
  ])
    assert.equal(parseCursor(text), undefined, JSON.stringify(text));
});
