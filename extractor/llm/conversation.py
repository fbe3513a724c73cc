"""A conversation: a request, its answers, what is wrong with each, and the records that remain at the end.

The `Conversation` checks each answer against the schema and the article, names each problem on one line, and decides
whether to ask again. Stored answers need no more than that. Where a call must be made, `converse` has instructor ask,
validate and ask again; the response model that it is given returns what the `Conversation` found. Nothing here sends
anything: the `create` that is passed in makes the calls, or looks them up.
"""

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from pydantic import BaseModel, ValidationError

from mahdar.cache.completion import Completion
from mahdar.drafting import Request, sha256
from mahdar.errors import ExtractionError, NoModelError
from mahdar.llm.call import Call
from mahdar.llm.reading import LONGEST, Reading, UnreadableError, UnusableError, read_completion
from mahdar.llm.reply import CallError
from mahdar.results import FailureClass, Usage
from mahdar.schemas.tasks import Answer, AnswerSchema
from mahdar.validation.answers import Problem, context_of, items_by_task, problems_of, salvage, validate
from mahdar.validation.source import Source

if TYPE_CHECKING:
    from openai.types.chat import ChatCompletion

MAX_PROBLEMS: Final = 12
"""Lines in a re-ask; a model that has made more mistakes does not correct them all anyway."""
EMPTY_ANSWER: Final = "(empty)"
"""Stands for an empty answer in a re-ask: some endpoints refuse a turn without text."""
EXCERPT_LENGTH: Final = 40
"""Characters of an unreadable answer in the failure's message."""
OVER_BUDGET: Final = "over_budget"
TOOLS, MD_JSON = "tools", "md_json"
_CONVERSATION: Final = "conversation"

Create = Callable[..., Awaitable["ChatCompletion"]]
"""A `chat.completions.create`."""


@dataclass(frozen=True, slots=True)
class ValidatedAnswer:
    """What remains of a conversation.

    Attributes:
        answer: the records, each of them valid.
        problems: what was invalid and left out.
        usage: of all calls.
        fingerprints: of all calls that brought an answer.
        valid_at_first: whether nothing was asked again or left out.
    """

    answer: Answer
    problems: tuple[Problem, ...]
    usage: Usage
    fingerprints: tuple[str, ...]
    valid_at_first: bool


@dataclass(frozen=True, slots=True)
class _Attempt:
    """One answer: the raw completion, and what was read from it.

    Attributes:
        problems: what is wrong with it.
        answer: the records; None where not all of them are valid.
    """

    fingerprint: str
    completion: Completion
    reading: Reading | UnreadableError | UnusableError
    problems: tuple[Problem, ...] = ()
    answer: Answer | None = None


@dataclass(slots=True)
class Conversation:
    """One request with its re-asks.

    Attributes:
        reasks: how often the model may be asked again.
        usage: of the calls so far; the client adds to it.
    """

    request: Request
    source: Source
    reasks: int
    usage: Usage = field(default_factory=Usage)
    _attempts: list[_Attempt] = field(default_factory=list)
    _last_read: tuple[Completion, Reading | UnreadableError | UnusableError] | None = None

    def __post_init__(self) -> None:
        self.source = self.source.showing(self.request.sentences)

    @property
    def is_open(self) -> bool:
        """Whether a call is to be made: the first one, or one that asks again, because the last answer has problems."""
        if not self._attempts:
            return True
        *before, last = self._attempts
        usable = not isinstance(last.reading, UnusableError)
        return last.answer is None and usable and self._can_reask(before, last.completion, last.problems)

    @property
    def fingerprint(self) -> str:
        """The fingerprint of the next call.

        That of a re-ask is a hash of the first request's, the raw answers so far, and the problems of the last answer
        by path and code; not of their wording, so that a better wording, or another version of pydantic, does not
        orphan what is stored.
        """
        first = self.request.fingerprint
        return sha256(json.dumps([first, *self._answers()], ensure_ascii=False)) if self._attempts else first

    def call(self, arguments: Mapping[str, Any]) -> Call:
        """Return the next call.

        Args:
            arguments: what instructor calls `create` with. The schema is replaced by its strict form, which instructor
                does not ask for; the messages are copied, since instructor adds to its list when it asks again.
        """
        request, answer = self.request, self.request.answer
        arguments = {**arguments, "messages": list(arguments["messages"])}
        if "tools" in arguments:
            function = {**arguments["tools"][0]["function"], "parameters": answer.json_schema, "strict": True}
            arguments |= {"tools": [{"type": "function", "function": function}], "parallel_tool_calls": False}
        elif "json_schema" in arguments.get("response_format", {}):
            form = {"name": answer.model.__name__, "schema": answer.json_schema, "strict": True}
            arguments["response_format"] = {"type": "json_schema", "json_schema": form}
        components = request.components
        if self._attempts:
            components = {**components, "answers": sha256(json.dumps(self._answers(), ensure_ascii=False))}
        return Call(request, self.fingerprint, components, arguments)

    def is_worth_storing(self, completion: Completion) -> bool:
        """Whether to store an answer: it has records, it leads to a re-ask, or an earlier answer has records."""
        reading = self._read(completion)
        if isinstance(reading, Reading):
            return True
        if isinstance(reading, UnreadableError) and self._can_reask(self._attempts, completion, (reading.problem,)):
            return True
        answer, _, records = self._best()
        return records > 0 or (answer is not None and isinstance(reading, UnreadableError))

    def receive(self, completion: Completion) -> None:
        """Validate the answer to the next call against its schema and its article."""
        reading, schema = self._read(completion), self.request.answer
        answer: Answer | None = None
        problems: tuple[Problem, ...] = ()
        if isinstance(reading, UnreadableError):
            problems = (reading.problem,)
        elif isinstance(reading, Reading):
            problems = (*reading.lost, *reading.ambiguous)
            try:
                validated = validate(reading.value, schema, self.source)
                answer = None if reading.ambiguous else validated
            except ValidationError as error:
                problems = (*problems, *problems_of(error, reading.value, schema))
        self._attempts.append(_Attempt(self.fingerprint, completion, reading, problems, answer))
        self.usage += Usage(reasks=int(self.is_open))

    def chat_completion(self) -> "ChatCompletion":
        """Return the last answer in the form that instructor reads.

        Raises:
            UnusableError: it is a refusal, or was cut before one record was complete.
        """
        last = self._attempts[-1]
        if isinstance(last.reading, UnusableError):
            raise last.reading
        return chat_completion(last.completion, self.request, last.reading)

    def answer(self) -> Answer:
        """Return the last answer; instructor's response model asks for it.

        Raises:
            ResponseParsingError: it is invalid; one line a problem, without a word of the article or the answer.
        """
        from instructor.core.exceptions import ResponseParsingError

        last = self._attempts[-1]
        if last.answer is not None:
            return last.answer
        lines = list(dict.fromkeys(map(str, last.problems)))
        raise ResponseParsingError("\n".join(lines[:MAX_PROBLEMS]))

    def result(self, error: CallError | None = None) -> ValidatedAnswer:
        """Return the valid records of the best answer: asking again may have brought fewer.

        Where the budget forbids to ask again, the article fails all the same, so that a later run finishes it: an
        article that has records is not asked about again.

        Args:
            error: why a call brought no answer; None where the conversation ended with an answer.

        Raises:
            ExtractionError: no answer can be used.
        """
        tasks = "+".join(self.request.tasks)
        answer, problems, records = self._best()
        if error is not None and (error.failure == OVER_BUDGET or not records):
            raise ExtractionError(error.failure, f"{tasks}: {error}", self.usage, retry_after=error.wait)
        last = self._attempts[-1]
        if isinstance(last.reading, UnusableError) and not records:
            raise ExtractionError(last.reading.failure, f"{tasks}: {last.reading}", self.usage)
        if answer is None:
            failure: FailureClass = "invalid" if isinstance(last.reading, Reading) else last.reading.failure
            message = str(last.problems[0])
            if not isinstance(last.reading, Reading):
                excerpt = last.completion.raw.strip()[:EXCERPT_LENGTH] if failure == "unparsable" else ""
                message = f"{message}, begins with {excerpt!r}" if excerpt else message
            raise ExtractionError(failure, f"{tasks}: {message}", self.usage)
        valid = len(self._attempts) == 1 and not problems
        return ValidatedAnswer(answer, problems, self.usage, tuple([one.fingerprint for one in self._attempts]), valid)

    def _can_reask(self, before: Sequence[_Attempt], completion: Completion, problems: Sequence[Problem]) -> bool:
        """Whether to ask again for an answer with problems: it is not cut, and they are not those of the one before."""
        repeated = bool(before) and _codes(before[-1].problems) == _codes(problems)
        return len(before) < self.reasks and not repeated and not completion.is_cut

    def _answers(self) -> tuple[list[str], list[tuple[str, str]]]:
        """Return the raw answers so far, and the problems of the last one by path and code."""
        return [one.completion.raw for one in self._attempts], _codes(self._attempts[-1].problems)

    def _read(self, completion: Completion) -> Reading | UnreadableError | UnusableError:
        """Read an answer, or return why it cannot be read. The last reading is kept: two steps of a call need it."""
        if self._last_read is None or self._last_read[0] is not completion:
            try:
                self._last_read = completion, read_completion(completion, self.request.answer)
            except (UnreadableError, UnusableError) as error:
                self._last_read = completion, error
        return self._last_read[1]

    def _best(self) -> tuple[Answer | None, tuple[Problem, ...], int]:
        """Return the answer with the most valid records, the last of several: its records, problems, their number."""
        schema = self.request.answer
        best: tuple[Answer | None, tuple[Problem, ...], int] = None, (), 0
        for attempt in self._attempts:
            answer, problems = attempt.answer, attempt.problems
            if answer is None and isinstance(attempt.reading, Reading):
                answer, dropped = salvage(attempt.reading.unambiguous(schema), schema, self.source)
                known = {(problem.place, problem.code) for problem in problems}
                problems = (*problems, *(one for one in dropped if (one.place, one.code) not in known))
            records = sum(map(len, items_by_task(answer, schema).values())) if answer is not None else 0
            if (answer is not None, records) >= (best[0] is not None, best[2]):
                best = answer, problems, records
        return best


async def converse(create: Create, conversation: Conversation) -> ValidatedAnswer:
    """Have instructor ask, validate, and ask again.

    Args:
        create: patched by `patched` for the request's mode.
        conversation: the request, not yet asked.

    Raises:
        ExtractionError: no answer can be used.
        MahdarError: no call can be made: no model, no cache.
    """
    from instructor.core.exceptions import InstructorRetryException, ResponseParsingError
    from tenacity import AsyncRetrying, retry_if_exception

    def asks_again(error: BaseException) -> bool:
        return isinstance(error, ResponseParsingError) and conversation.is_open

    request, error = conversation.request, None
    context = context_of(conversation.source)
    context[_CONVERSATION] = conversation
    try:
        await create(
            response_model=response_model(request.answer),
            context=context,
            max_retries=AsyncRetrying(retry=retry_if_exception(asks_again), sleep=_no_sleep, reraise=True),
            strict=False,
            messages=[dict(message) for message in request.messages],
            model=request.model,
            conversation=conversation,
            **request.parameters,
        )
    except InstructorRetryException as caught:
        error = caught.__cause__
    if error is None or isinstance(error, CallError):
        return conversation.result(error)
    if isinstance(error, UnusableError | ResponseParsingError):
        return conversation.result()
    if isinstance(error, NoModelError):
        error.usage += conversation.usage
    raise error


def next_call(
    request: Request, source: Source, look_up: Callable[[str], Completion | None], *, reasks: int
) -> Call | None:
    """Return the call that a conversation would make next; None where stored answers are enough to finish it.

    Args:
        request: the first request.
        source: the article that answers are validated against.
        look_up: returns the stored answer to a fingerprint, or None.
        reasks: how often the model may be asked again.
    """
    missing = []

    async def create(*, conversation: Conversation, **arguments: Any) -> "ChatCompletion":
        completion = look_up(conversation.fingerprint)
        if completion is None:
            missing.append(conversation.call(arguments))
            raise _NotStored
        conversation.receive(completion)
        return conversation.chat_completion()

    coroutine = converse(patched(create, request.mode), Conversation(request, source, reasks))
    try:
        coroutine.send(None)  # nothing is awaited, so that no event loop is needed
    except (_NotStored, StopIteration, ExtractionError):
        return missing[0] if missing else None
    finally:
        coroutine.close()
    raise AssertionError("a conversation from stored answers awaits nothing")


def arguments_of(request: Request) -> Mapping[str, Any]:
    """Return what instructor would call `chat.completions.create` with for a request, without sending it."""
    call = next_call(request, Source(""), lambda _: None, reasks=0)
    assert call is not None, "nothing is stored"
    return call.arguments


def patched(create: Create, mode: str) -> Create:
    """Patch a `create` that makes the calls, so that instructor validates and asks again in this mode."""
    import instructor

    patch: Create = instructor.patch(create=create, mode=instructor.Mode[mode.upper()])
    return patch


def response_model(answer: AnswerSchema) -> type[BaseModel]:
    """Return the response model that instructor is given for an answer's schema, made once.

    Its schema is the one that is built already, and its validator returns the conversation's answer, which it finds in
    the context. instructor's reading of the text is not used: where an answer is broken, it takes an object inside it
    for the whole.
    """
    if (known := _MODELS.get((answer.model, answer.sha256))) is not None:
        return known
    from instructor.v2.core.function_calls import ResponseSchema

    described = {"title": answer.model.__name__, **answer.json_schema}

    def model_json_schema(_: type[BaseModel], /, **__: Any) -> dict[str, Any]:
        return dict(described)

    def model_validate_json(_: type[BaseModel], __: str, /, *, context: Mapping[str, Any], **___: Any) -> BaseModel:
        conversation: Conversation = context[_CONVERSATION]
        return conversation.answer()

    members = {
        "__module__": __name__,
        "__doc__": "The records of the article.",
        "model_json_schema": classmethod(model_json_schema),
        "model_validate_json": classmethod(model_validate_json),
    }
    model = type(answer.model.__name__, (ResponseSchema,), members)
    return _MODELS.setdefault((answer.model, answer.sha256), model)


_MODELS: Final[dict[tuple[type[BaseModel], str], type[BaseModel]]] = {}


def chat_completion(completion: Completion, request: Request, reading: Reading | UnreadableError) -> "ChatCompletion":
    """Convert a completion to the form that instructor reads: one turn, finished and without a refusal.

    It is built anew each time, since instructor adds up the usage in place. In Markdown mode instructor searches the
    text for JSON and may give up, after which no re-ask follows: there it is given the JSON that was read already.
    """
    from openai.types import CompletionUsage
    from openai.types.chat import ChatCompletion, ChatCompletionMessage, ChatCompletionMessageFunctionToolCall
    from openai.types.chat.chat_completion import Choice
    from openai.types.chat.chat_completion_message_function_tool_call import Function

    content: str | None = completion.text.strip() or EMPTY_ANSWER
    calls = None
    if request.mode == TOOLS:
        called = [(call.name, call.arguments) for call in completion.tool_calls]
        content = completion.text.strip() or None if called else content
        calls = [
            ChatCompletionMessageFunctionToolCall(
                id=f"call_{number}", type="function", function=Function(name=name, arguments=arguments or "{}")
            )
            for number, (name, arguments) in enumerate(called or [(request.answer.model.__name__, "{}")], 1)
        ]
    elif request.mode == MD_JSON:
        content = json.dumps(reading.value, ensure_ascii=False) if isinstance(reading, Reading) else "{}"
        content = content if len(content) <= LONGEST else "{}"
    message = ChatCompletionMessage(role="assistant", content=content, tool_calls=calls)
    return ChatCompletion(
        id="1",
        object="chat.completion",
        created=0,
        model=completion.model or request.model,
        choices=[Choice(index=0, finish_reason="stop", message=message)],
        usage=CompletionUsage(
            prompt_tokens=completion.tokens_in,
            completion_tokens=completion.tokens_out,
            total_tokens=completion.tokens_in + completion.tokens_out,
        ),
    )


class _NotStored(BaseException):  # no Exception, so that instructor and tenacity let it pass
    """No answer is stored for a call."""


async def _no_sleep(_: float) -> None:
    """Replace tenacity's sleep: a re-ask is sent at once."""


def _codes(problems: Sequence[Problem]) -> list[tuple[str, str]]:
    return [(problem.path, problem.code) for problem in problems]
