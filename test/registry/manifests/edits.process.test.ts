import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { AppError } from '../../../schemas/errors.ts';
import { createStage, fileOf } from '../registry-stage.ts';

test('an edit is never written over what somebody else wrote meanwhile', async (t) => {
  const stage = await createStage(t, 'a');
  const registry = await stage.open();
  const path = stage.path(fileOf('a'));
  // Another process that counts up a comment, by rename as a good editor does.
  const child = spawn(process.execPath, [
    '-e',
    `const fs = require('node:fs'); const path = ${JSON.stringify(path)}; let lost = 0, last = 0;
     while (last < 40 || !fs.existsSync(path + '.enough')) {
       const text = fs.readFileSync(path, 'utf8');
       const seen = Number(/# (\\d+)/.exec(text)?.[1] ?? 0);
       if (seen < last) lost++;
       last = seen + 1;
       const next = (/# \\d+\\n/.test(text) ? text.replace(/# \\d+\\n/, '') : text) + '# ' + last + '\\n';
       fs.writeFileSync(path + '.foreign', next); fs.renameSync(path + '.foreign', path);
       Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 3);
     }
     process.stdout.write(JSON.stringify({ lost, last }));`,
  ]);
  let out = '';
  child.stdout.on('data', (data: Buffer) => {
    out += data.toString();
  });
  const exit = once(child, 'close');
  let edits = 0;
  while (child.exitCode === null) {
    if (edits === 40) await writeFile(`${path}.enough`, '');
    await registry.editSpec('a', { restartedAt: String(edits) }).then(
      () => edits++,
      (error: unknown) => assert.ok(error instanceof AppError && error.reason === 'Conflict'),
    );
  }
  await exit;
  const { lost, last } = JSON.parse(out) as { lost: number; last: number };
  assert.ok(last >= 40 && edits >= 40, `${last} foreign edits, ${edits} of ours`);
  // On a busy machine a process may be stopped between the last look and the rename; without the look it is every other.
  assert.ok(lost * 5 <= Math.min(last, edits), `${lost} lost of ${last} foreign edits`);
});
