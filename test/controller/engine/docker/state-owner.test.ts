import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Connection } from '../../../../controller/engine/docker/client.ts';
import {
  HELPER_LABEL,
  helperLabels,
  type Owner,
  resolveUser,
  sweepHelpers,
} from '../../../../controller/engine/docker/state-owner.ts';

const passwd = 'root:x:0:0::/:/bin/sh\napp:x:1234:1235::/:/bin/sh\n\nodd\n';
const group = 'root:x:0:\napp:x:1235:\nstaff:x:50:app\n';

describe('resolveUser', () => {
  const table: [user: string, want: Owner | undefined][] = [
    ['1234', { uid: 1234, gid: 1235 }],
    ['77', { uid: 77, gid: 0 }],
    ['77:88', { uid: 77, gid: 88 }],
    ['app', { uid: 1234, gid: 1235 }],
    ['app:staff', { uid: 1234, gid: 50 }],
    ['app:7', { uid: 1234, gid: 7 }],
    ['77:staff', { uid: 77, gid: 50 }],
    ['nobody', undefined],
    ['app:nogroup', undefined],
  ];
  for (const [user, want] of table) {
    it(`USER ${user}`, () => assert.deepEqual(resolveUser(user, passwd, group), want));
  }

  it('does without passwd and group', () => {
    assert.deepEqual(resolveUser('77', '', ''), { uid: 77, gid: 0 });
    assert.equal(resolveUser('app', '', ''), undefined);
  });
});

describe('sweepHelpers', () => {
  it('takes what an earlier host left, and nothing that this process is at work with', async () => {
    const owner = { instance: 'one', registry: '0123456789ab', path: '/srv/registry' };
    const left = { [HELPER_LABEL]: 'one' };
    const own = helperLabels(owner);
    const removed: string[] = [];
    const removable = (id: string) => ({ remove: async () => void removed.push(id) });
    const quick = {
      listContainers: async () => [
        { Id: 'left', State: 'created', Labels: left },
        { Id: 'own', State: 'created', Labels: own },
      ],
      listImages: async () => [
        { Id: 'left image', Labels: left },
        { Id: 'own image', Labels: own },
      ],
      getContainer: removable,
      getImage: removable,
    };
    await sweepHelpers({ quick } as unknown as Connection, owner);
    assert.deepEqual(removed, ['left', 'left image']);
  });
});
