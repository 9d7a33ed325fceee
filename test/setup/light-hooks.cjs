// Required before a test runner that runs many small tests in one process.
//
// Node's runner follows every promise, so that it can tell from which test an error came that nobody caught. Of the
// thousands that a unit test makes that is a third of all its work. Here it follows tests alone: such an error is told
// as one of no test, and fails the run all the same.
const hooks = require('node:async_hooks');

const followers = [];
const unchanged = { enable: () => unchanged, disable: () => unchanged };
hooks.createHook = (callbacks) => {
  followers.push(callbacks);
  return unchanged;
};

hooks.AsyncResource = class extends hooks.AsyncResource {
  constructor(type, options) {
    super(type, options);
    for (const { init } of followers) init?.(this.asyncId(), type, this.triggerAsyncId(), this);
  }
};
