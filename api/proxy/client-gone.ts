import type { ServerResponse } from 'node:http';

/**
 * Calls once when the client is gone, or its answer is over. Of requests that a client sends at once over one connection,
 * Node tells the end of that only to the answer whose turn it is.
 * @returns ends the watch
 */
export function onClientGone(res: ServerResponse, listener: () => void): () => void {
  const { socket } = res.req;
  let isOver = false;
  const end = (): void => {
    isOver = true;
    res.off('close', told);
    socket.off('close', told);
  };
  const told = (): void => {
    // Of the two, one is told within the other, which goes on with those that listened before.
    if (isOver) return;
    end();
    listener();
  };
  res.on('close', told);
  // As many as the client has sent.
  socket.setMaxListeners(0);
  socket.on('close', told);
  return end;
}
