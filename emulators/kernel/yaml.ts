/** The reader of YAML, in a file of its own to be loaded on demand: a bundle gives a CommonJS package no names of its own. */
export { parse } from "yaml";
