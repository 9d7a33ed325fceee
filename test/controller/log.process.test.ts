import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';

describe('the log', () => {
  it('is a line of JSON each where nobody sits at a terminal, from its level on', async () => {
    const script = `
      import { createLog } from '${new URL('../../controller/log.ts', import.meta.url)}';
      const { log } = createLog('warn');
      log.info({}, 'not this');
      log.warn({ program: 'app' }, 'this');
      log.error({ err: new Error('bad') }, 'and this');
    `;
    const argv = ['--import', 'tsx', '--input-type=module', '--eval', script];
    const { stdout } = await promisify(execFile)(process.execPath, argv);
    const lines = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    assert.deepEqual(
      lines.map(({ level, msg }) => [level, msg]),
      [
        [40, 'this'],
        [50, 'and this'],
      ],
    );
    assert.equal(lines[0]?.program, 'app');
    assert.match(JSON.stringify(lines[1]?.err), /"message":"bad"/);
  });
});
