#!/usr/bin/env node
import { launch } from "@x/core/launch";

await launch(import.meta.url, "../dist/cli.js");
