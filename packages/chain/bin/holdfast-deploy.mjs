#!/usr/bin/env node
import '../dist/src/deploy-cli.js'
