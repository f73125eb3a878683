// Asks as the arguments say and prints, as JSON, what the SDK returned or threw.
import OpenAI from "openai";

const [how, model, text] = process.argv.slice(2);
const client = new OpenAI();
const asked = { model, messages: [{ role: "user", content: text }] };

const ways = {
  async unary() {
    const answer = await client.chat.completions.create(asked);
    return { text: answer.choices[0].message.content };
  },
  async streamed() {
    const stream = client.chat.completions.stream(asked);
    const answer = await stream.finalChatCompletion();
    const [choice] = answer.choices;
    return { text: choice.message.content, finish: choice.finish_reason };
  },
  async embedded() {
    const answer = await client.embeddings.create({ model, input: text });
    return { numbers: answer.data[0].embedding };
  },
};

try {
  console.log(JSON.stringify(await ways[how]()));
} catch (error) {
  const { status, code } = error;
  console.log(JSON.stringify({ thrown: error.constructor.name, status, code }));
}
