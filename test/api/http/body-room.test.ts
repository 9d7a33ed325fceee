import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createBodyRoom } from '../../../api/http/body-room.ts';
import { AppError } from '../../../schemas/errors.ts';

const isBusy = (error: unknown) => error instanceof AppError && error.reason === 'Busy';

test('bodies have a room together, and each gives back what it took', () => {
  const room = createBodyRoom(100);
  const [one, two] = [room.enter(), room.enter()];
  one.take(60);
  assert.throws(() => two.take(41), isBusy);
  two.take(40);
  assert.throws(() => one.take(1), isBusy);
  one.leave();
  one.leave();
  two.take(60);
  assert.throws(() => two.take(1), isBusy);
  two.leave();
  room.enter().take(100);
});
