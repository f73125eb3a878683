// Asks all that standard input lists, and prints for each what the SDK returned or threw.
import { readFileSync } from "node:fs";
import OpenAI from "openai";
import { makeParseableResponseFormat } from "openai/lib/parser";

const ways = {
  create: (client, asked) => client.chat.completions.create(asked),
  stream: (client, asked) => client.chat.completions.stream(asked).finalChatCompletion(),
  // What the SDK's helper for zod makes of a schema, with the parser that zod would be.
  parse: (client, { response_format, ...asked }) =>
    client.chat.completions.parse({
      ...asked,
      response_format: makeParseableResponseFormat(response_format, JSON.parse),
    }),
  embed: (client, { model, messages }) =>
    client.embeddings.create({ model, input: messages[0].content }),
};

async function told({ url, key, way, asked }) {
  try {
    return await ways[way](new OpenAI({ baseURL: url, apiKey: key }), asked);
  } catch (error) {
    return { thrown: error.constructor.name, status: error.status, message: error.message };
  }
}

const asked = JSON.parse(readFileSync(0, "utf8"));
console.log(JSON.stringify(await Promise.all(asked.map(told))));
