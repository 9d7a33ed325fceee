import { request } from 'undici';

/** Whether the program behind a published port answers with a 2xx now. */
export async function answers(port: number): Promise<boolean> {
  try {
    // A connection a question, as the host's probe does: one that docker-proxy hung up on is of no more use.
    const { statusCode, body } = await request(`http://127.0.0.1:${port}/watcher/status`, { reset: true });
    await body.dump();
    return statusCode >= 200 && statusCode < 300;
  } catch {
    return false;
  }
}
