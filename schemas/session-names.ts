/** By what a browser that has signed in is known: a cookie, and beside it a header that only the page can send. */
export const SESSION_COOKIE_PREFIX = 'hersh_session';
export const SESSION_HEADER = 'X-Hersh-Session';
