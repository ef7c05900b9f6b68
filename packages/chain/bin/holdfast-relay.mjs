#!/usr/bin/env node
import '../dist/src/relay-cli.js'
