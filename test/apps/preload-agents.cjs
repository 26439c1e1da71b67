// Owns other agents of the preload's matrix, loaded beside it: OpenTelemetry's own instrumentation of http, or one that patches as dd-trace does.
'use strict';
const agents = {
  opentelemetry() {
    const { MeterProvider } = require('@opentelemetry/sdk-metrics');
    const { HttpInstrumentation } = require('@opentelemetry/instrumentation-http');
    const { registerInstrumentations } = require('@opentelemetry/instrumentation');
    registerInstrumentations({ instrumentations: [new HttpInstrumentation()], meterProvider: new MeterProvider() });
  },
  // A store entered for each request, a wrapped emit and require, hooks of its own, subscribers of the same channels.
  patching() {
    const { AsyncLocalStorage, createHook } = require('node:async_hooks');
    const { channel } = require('node:diagnostics_channel');
    const Module = require('node:module');
    const store = new AsyncLocalStorage();
    const { emit } = require('node:http').Server.prototype;
    require('node:http').Server.prototype.emit = function (name, ...given) { return name === 'request' ? store.run({ url: given[0].url }, () => emit.call(this, name, ...given)) : emit.call(this, name, ...given); };
    const { require: original } = Module.prototype;
    Module.prototype.require = function (id) { return original.call(this, id); };
    createHook({ init() {} }).enable();
    channel('http.server.response.finish').subscribe(({ request }) => { if (store.getStore() && store.getStore().url !== request.url) process.exitCode = 99; });
    const { prepareStackTrace } = Error;
    Error.prepareStackTrace = (error, frames) => (prepareStackTrace ? prepareStackTrace(error, frames) : `${error}\n    at ${frames.join('\n    at ')}`);
  },
};
agents[process.env.OTHER_AGENT]();
