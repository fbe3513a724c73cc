"""A conversation: what is asked, what was answered, what was wrong with it, and what comes of it at the end.

instructor asks, validates and asks again; `converse` starts it. Its response model hands the answer to the
conversation, which checks it against the schema and the article, and says what is wrong in one line a problem. Nothing
here sends anything: the `create` that is given makes the calls, or looks them up.
"""

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from pydantic import BaseModel, ValidationError

from mahdar.cache.completion import Completion
from mahdar.errors import ExtractionError, FailureClass, NoModelError
from mahdar.llm.call import Call
from mahdar.llm.reading import (
    LONGEST,
    SHOWN,
    Reading,
    UnreadableError,
    UnusableError,
    read_completion,
    with_all_lists,
)
from mahdar.llm.reply import CallError
from mahdar.llm.request import Request, reask_fingerprint, sha256
from mahdar.results import Usage
from mahdar.schemas.tasks import Answer, AnswerSchema
from mahdar.validation.answers import Problem, context_of, lists_of, problems_of, salvage, validate
from mahdar.validation.source import Source

if TYPE_CHECKING:
    from openai.types.chat import ChatCompletion
    from tenacity import RetryCallState

MAX_PROBLEMS: Final = 12
"""Lines in a re-ask; a model that has made more mistakes does not mend them by reading more."""
NOTHING: Final = "(empty)"
"""An empty answer in a re-ask: some endpoints refuse a turn without a word."""
OVER_BUDGET: Final = "over_budget"
TOOLS, MD_JSON = "tools", "md_json"
_CONVERSATION: Final = "conversation"

Create = Callable[..., Awaitable["ChatCompletion"]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a conversation came to.

    Attributes:
        answer: the records, each of which holds.
        problems: what does not hold and was left out.
        usage: of all calls.
        fingerprints: of all calls that brought an answer.
        valid_at_first: nothing was asked again or left out.
    """

    answer: Answer
    problems: tuple[Problem, ...]
    usage: Usage
    fingerprints: tuple[str, ...]
    valid_at_first: bool


Read = Reading | UnreadableError | UnusableError


@dataclass(frozen=True, slots=True)
class _Attempt:
    """One answer: what was said, what can be read of it, and what is wrong with that.

    Attributes:
        answer: the records, where every one of them holds.
    """

    fingerprint: str
    completion: Completion
    reading: Read
    problems: tuple[Problem, ...] = ()
    answer: Answer | None = None


@dataclass(slots=True)
class Conversation:
    """One request, with its re-asks.

    Attributes:
        reasks: how often the model may be asked again.
        usage: of the calls so far; whoever makes them adds to it.
    """

    request: Request
    source: Source
    reasks: int
    usage: Usage = field(default_factory=Usage)
    _attempts: list[_Attempt] = field(default_factory=list)
    _last_read: tuple[Completion, Read] | None = None

    def __post_init__(self) -> None:
        self.source = self.source.showing(self.request.sentences)

    def call(self, arguments: Mapping[str, Any]) -> Call:
        """The call to make now, from what instructor would call `create` with."""
        first, components = self.request.fingerprint, self.request.components
        arguments = strictly(arguments, self.request.answer)
        if not self._attempts:
            return Call(self.request, first, components, arguments)
        self.usage += Usage(reasks=1)
        raw = [attempt.completion.raw for attempt in self._attempts]
        wrong = _codes(self._attempts[-1].problems)
        answers = sha256(json.dumps([raw, wrong], ensure_ascii=False))
        return Call(self.request, reask_fingerprint(first, raw, wrong), {**components, "answers": answers}, arguments)

    def keeps(self, completion: Completion) -> bool:
        """Whether an answer is worth keeping: it can be used, it leads to a re-ask, or what came before it stands."""
        reading = self._reading(completion)
        if isinstance(reading, Reading):
            return True
        if isinstance(reading, UnreadableError) and not completion.is_cut and len(self._attempts) < self.reasks:
            return not self._attempts or _codes(self._attempts[-1].problems) != _codes((reading.problem,))
        answer, _, records = self._best()
        return records > 0 or (answer is not None and isinstance(reading, UnreadableError))

    def take(self, call: Call, completion: Completion) -> "ChatCompletion":
        """Hear an answer, validate it, and turn it into what instructor reads.

        Raises:
            UnusableError: it is a refusal, or was cut before one record was complete.
        """
        reading = self._reading(completion)
        if isinstance(reading, UnusableError):
            self._attempts.append(_Attempt(call.fingerprint, completion, reading))
            raise reading
        self._attempts.append(_Attempt(call.fingerprint, completion, reading, *self._validated(reading)))
        return chat_completion(completion, self.request, reading)

    def answer(self) -> Answer:
        """The answer that was heard last; instructor's response model asks for it.

        Raises:
            ResponseParsingError: it does not hold; one line a problem, without a word of the article or the answer.
        """
        from instructor.core.exceptions import ResponseParsingError

        last = self._attempts[-1]
        if last.answer is not None:
            return last.answer
        lines = list(dict.fromkeys(map(str, last.problems)))
        raise ResponseParsingError("\n".join(lines[:MAX_PROBLEMS]))

    def goes_on(self, state: "RetryCallState") -> bool:
        """Whether to ask again: the answer does not hold, is whole, and has not the problems of the one before."""
        from instructor.core.exceptions import ResponseParsingError

        error = state.outcome.exception() if state.outcome else None
        if not isinstance(error, ResponseParsingError):
            return False
        *before, last = self._attempts
        return not last.completion.is_cut and not (before and _codes(before[-1].problems) == _codes(last.problems))

    def outcome(self, error: BaseException | None) -> Outcome:
        """What the conversation came to.

        What one answer brought is not lost when asking again brings less. Where the budget forbids to ask again, the
        article is left for a run that may: once done, it is not asked about.

        Args:
            error: that ended it; None where the last answer holds.

        Raises:
            ExtractionError: nothing can be used.
        """
        tasks = "+".join(self.request.tasks)
        answer, problems, records = self._best()
        if isinstance(error, CallError | UnusableError) and (error.failure == OVER_BUDGET or not records):
            wait = error.wait if isinstance(error, CallError) else None
            raise ExtractionError(error.failure, f"{tasks}: {error}", self.usage, retry_after=wait)
        if answer is None:
            failure, said = _failure(self._attempts[-1])
            raise ExtractionError(failure, f"{tasks}: {said}", self.usage)
        valid = len(self._attempts) == 1 and not problems and error is None
        fingerprints = tuple(attempt.fingerprint for attempt in self._attempts)
        return Outcome(answer, problems, self.usage, fingerprints, valid)

    def _reading(self, completion: Completion) -> Read:
        """What an answer says; read once, whoever asks."""
        if self._last_read is None or self._last_read[0] is not completion:
            self._last_read = completion, _read(completion, self.request.answer)
        return self._last_read[1]

    def _validated(self, reading: Reading | UnreadableError) -> tuple[tuple[Problem, ...], Answer | None]:
        """What is wrong with an answer by its schema and its article, and the answer where nothing is."""
        if isinstance(reading, UnreadableError):
            return (reading.problem,), None
        found = (*reading.lost, *reading.ambiguous)
        try:
            answer = validate(reading.value, self.request.answer, self.source)
        except ValidationError as error:
            return (*found, *problems_of(error, reading.value, self.request.answer)), None
        return found, None if reading.ambiguous else answer

    def _best(self) -> tuple[Answer | None, tuple[Problem, ...], int]:
        """As much as holds of the answer that brought most, what does not, and the number of its records."""
        kept = [self._kept(attempt) for attempt in self._attempts]
        nothing: tuple[Answer | None, tuple[Problem, ...], int] = (None, (), 0)
        return max(reversed(kept), key=lambda one: (one[0] is not None, one[2]), default=nothing)

    def _kept(self, attempt: _Attempt) -> tuple[Answer | None, tuple[Problem, ...], int]:
        answer, problems, schema = attempt.answer, attempt.problems, self.request.answer
        if answer is None and isinstance(attempt.reading, Reading):
            value = with_all_lists(attempt.reading.unambiguous, schema)
            answer, left_out = salvage(value, schema, self.source)
            known = {(problem.place, problem.code) for problem in problems}
            problems = (*problems, *(one for one in left_out if (one.place, one.code) not in known))
        return answer, problems, sum(map(len, lists_of(answer, schema).values())) if answer is not None else 0


async def converse(create: Create, conversation: Conversation) -> Outcome:
    """Let instructor ask, validate, and ask again.

    Args:
        create: instructor's, patched for the request's mode (`patched`).
        conversation: of the request.

    Raises:
        ExtractionError: nothing can be used.
        MahdarError: no further call is of use: no model, no cache.
    """
    from instructor.core.exceptions import InstructorRetryException, ResponseParsingError
    from tenacity import AsyncRetrying, stop_after_attempt

    request, error = conversation.request, None
    retrying = AsyncRetrying(  # one for each conversation: it counts
        stop=stop_after_attempt(conversation.reasks + 1), retry=conversation.goes_on, sleep=_at_once, reraise=True
    )
    context = context_of(conversation.source)
    context[_CONVERSATION] = conversation
    try:
        await create(
            response_model=response_model(request.answer),
            context=context,
            max_retries=retrying,
            strict=False,
            messages=[dict(message) for message in request.messages],
            model=request.model,
            conversation=conversation,
            **request.parameters,
        )
    except InstructorRetryException as caught:
        error = caught.__cause__
    if error is not None and not isinstance(error, CallError | UnusableError | ResponseParsingError):
        if isinstance(error, NoModelError):
            error.usage += conversation.usage
        raise error
    return conversation.outcome(error)


def next_call(
    request: Request, source: Source, look_up: Callable[[str], Completion | None], *, reasks: int
) -> Call | None:
    """The call that a conversation would make next; None where it can be held from stored answers alone.

    Args:
        request: that is asked first.
        source: the article that answers are checked against.
        look_up: the stored answer to a fingerprint.
        reasks: how often the model may be asked again.
    """
    missing = []

    async def create(*, conversation: Conversation, **arguments: Any) -> "ChatCompletion":
        call = conversation.call(arguments)
        completion = look_up(call.fingerprint)
        if completion is None:
            missing.append(call)
            raise _Missing
        return conversation.take(call, completion)

    held = converse(patched(create, request.mode), Conversation(request, source, reasks))
    try:
        held.send(None)  # nothing is waited for, so that no event loop is needed
    except (_Missing, StopIteration, ExtractionError):
        return missing[0] if missing else None
    finally:
        held.close()
    raise AssertionError("a conversation from stored answers waits for nothing")


def arguments_of(request: Request) -> Mapping[str, Any]:
    """What `chat.completions.create` is called with for a request: taken from instructor, nothing is sent."""
    call = next_call(request, Source(""), lambda _: None, reasks=0)
    assert call is not None, "nothing is stored"
    return call.arguments


def patched(create: Create, mode: str) -> Create:
    """Patch a `create` that makes the calls, so that instructor validates and asks again in this mode."""
    import instructor

    made: Create = instructor.patch(create=create, mode=instructor.Mode[mode.upper()])
    return made


def response_model(answer: AnswerSchema) -> type[BaseModel]:
    """The model that instructor is given for an answer's schema, made once.

    It names the schema, which is built already, and hands the answer to the conversation in its context. instructor's
    reading of the text is not used: where an answer is broken, it takes an object inside it for the whole.
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
    made = type(answer.model.__name__, (ResponseSchema,), members)
    return _MODELS.setdefault((answer.model, answer.sha256), made)


_MODELS: Final[dict[tuple[type[BaseModel], str], type[BaseModel]]] = {}


def strictly(arguments: Mapping[str, Any], answer: AnswerSchema) -> Mapping[str, Any]:
    """The arguments with the schema in its strict form, which instructor does not ask for by itself.

    The messages are a list of their own: instructor adds to its list when it asks again.
    """
    arguments = {**arguments, "messages": list(arguments["messages"])}
    if "tools" in arguments:
        function = {**arguments["tools"][0]["function"], "parameters": answer.json_schema, "strict": True}
        return {**arguments, "tools": [{"type": "function", "function": function}], "parallel_tool_calls": False}
    if "json_schema" not in arguments.get("response_format", {}):
        return arguments
    form = {"name": answer.model.__name__, "schema": answer.json_schema, "strict": True}
    return {**arguments, "response_format": {"type": "json_schema", "json_schema": form}}


def chat_completion(completion: Completion, request: Request, reading: Reading | UnreadableError) -> "ChatCompletion":
    """What instructor reads of a completion: its last turn, whole and without a refusal.

    It is made anew each time, since instructor adds up the usage in place. In Markdown mode instructor searches the
    text for JSON and may give up, after which no re-ask follows: there it is given what was read already.
    """
    from openai.types import CompletionUsage
    from openai.types.chat import ChatCompletion, ChatCompletionMessage, ChatCompletionMessageFunctionToolCall
    from openai.types.chat.chat_completion import Choice
    from openai.types.chat.chat_completion_message_function_tool_call import Function

    content: str | None = completion.text.strip() or NOTHING
    calls = None
    if request.mode == TOOLS:
        said = [(call.name, call.arguments) for call in completion.tool_calls]
        content = completion.text.strip() or None if said else content
        calls = [
            ChatCompletionMessageFunctionToolCall(
                id=f"call_{number}", type="function", function=Function(name=name, arguments=arguments or "{}")
            )
            for number, (name, arguments) in enumerate(said or [(request.answer.model.__name__, "{}")], 1)
        ]
    elif request.mode == MD_JSON:
        content = json.dumps(reading.value, ensure_ascii=False) if isinstance(reading, Reading) else "{}"
        content = content if len(content) <= LONGEST else "{}"
    return ChatCompletion(
        id="1",
        object="chat.completion",
        created=0,
        model=completion.model or request.model,
        choices=[
            Choice(
                index=0,
                finish_reason="stop",
                message=ChatCompletionMessage(role="assistant", content=content, tool_calls=calls),
            )
        ],
        usage=CompletionUsage(
            prompt_tokens=completion.tokens_in,
            completion_tokens=completion.tokens_out,
            total_tokens=completion.tokens_in + completion.tokens_out,
        ),
    )


class _Missing(BaseException):  # no error; instructor and tenacity let it pass as it is
    """Nothing is stored for a call."""


async def _at_once(_: float) -> None:
    """Wait for nothing: what has to be waited for is waited for below."""


def _read(completion: Completion, answer: AnswerSchema) -> Read:
    try:
        return read_completion(completion, answer)
    except (UnreadableError, UnusableError) as error:
        return error


def _failure(attempt: _Attempt) -> tuple[FailureClass, str]:
    """The class of an answer of which nothing can be used, and why."""
    if isinstance(attempt.reading, Reading):
        return "invalid", str(attempt.problems[0])
    shown = attempt.completion.raw.strip()[:SHOWN] if attempt.reading.failure == "unparsable" else ""
    begins = f", begins with {shown!r}" if shown else ""
    return attempt.reading.failure, f"{attempt.problems[0]}{begins}"


def _codes(problems: Sequence[Problem]) -> list[tuple[str, str]]:
    return [(problem.path, problem.code) for problem in problems]
