/**
 * What piscina loads on every thread: CommonJS that imports the module named in the worker's data.
 *
 * Why: piscina tries `require` first, and a thread that is ended while `require` instantiates an ES
 * module takes the whole process with it (Node 20.20: "FATAL ERROR: v8::Module::IsGraphAsync", once in
 * some 2,000 pools that are closed right after they were opened). `import` may be ended at any moment.
 */
const { workerData } = require('node:worker_threads')

exports.run = import(workerData.entry).then(({ run }) => run)
