// A help line with one tool. Run it: `OPENAI_API_KEY=... npx syrinx start examples/agent.ts`
import { defineAgent, tool } from 'syrinx';

export default defineAgent({
  name: 'help-line',
  instructions: 'You answer the help line of a small office. Be kind and brief: one or two spoken sentences.',
  greeting: 'Hello, this is the help line. What can I do for you?',
  tools: [
    tool({
      name: 'opening_hours',
      description: 'Says when the office is open on a given day of the week.',
      parameters: {
        type: 'object',
        properties: {
          day: { type: 'string', enum: ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'weekend'] },
        },
        required: ['day'],
      },
      run: ({ day }: { day: string }) => (day === 'weekend' ? 'closed' : 'from 9 to 17'),
    }),
  ],
});
