import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openAuditLog } from '../../../registry/records/audit-log.ts';
import type { AuditLine } from '../../../schemas/audit.ts';

const fails = (error: unknown): never => assert.fail(String(error));

const line = (code: number): AuditLine => ({
  ...{
    time: '2026-11-22T10:00:00.000Z',
    from: '127.0.0.1',
    method: 'POST',
    path: '/x',
    program: 'p',
    revision: 1,
  },
  ...{ token: { id: 'i', name: 'n', role: 'admin', user_id: '' }, code },
});

test('lines are appended in their order, by one host after the other, for their owner alone', async (t) => {
  const data = mkdtempSync(join(tmpdir(), 'hersh-audit-'));
  t.after(() => rmSync(data, { recursive: true }));
  for (const first of [0, 10]) {
    const log = openAuditLog(data, { onError: fails });
    for (let code = first; code < first + 10; code++) log.write(line(code));
    await log.close();
  }
  const file = join(data, 'audit.ndjson');
  const codes = readFileSync(file, 'utf8')
    .trimEnd()
    .split('\n')
    .map((text) => (JSON.parse(text) as AuditLine).code);
  assert.deepEqual(
    codes,
    Array.from({ length: 20 }, (_, code) => code),
  );
  assert.equal(statSync(file).mode & 0o777, 0o600);
});

test('a full file makes room for the next, and the oldest go', async (t) => {
  const data = mkdtempSync(join(tmpdir(), 'hersh-audit-'));
  t.after(() => rmSync(data, { recursive: true }));
  for (let code = 0; code < 20; code++) {
    const log = openAuditLog(data, { fileBytesMax: 1, onError: fails });
    log.write(line(code));
    await log.close();
  }
  const files = readdirSync(data).sort();
  assert.ok(files.length > 2 && files.length < 10, files.join());
  assert.match(readFileSync(join(data, 'audit.ndjson'), 'utf8'), /"code":19}/);
  assert.match(readFileSync(join(data, 'audit.1.ndjson'), 'utf8'), /"code":18}/);
});

test('what can not be written is told once, and breaks nothing', async () => {
  const told: unknown[] = [];
  const log = openAuditLog('/nonexistent/data', { onError: (error) => told.push(error) });
  for (let code = 0; code < 3; code++) {
    log.write(line(code));
    await log.close();
  }
  assert.equal(told.length, 1);
});
