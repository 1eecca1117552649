"""Puts questions through tritonclient, as its users do: URL and token as arguments; prints JSON."""

import json
import sys

import numpy
import tritonclient.http as http
from tritonclient.utils import InferenceServerException

address, token = sys.argv[1:]
client = http.InferenceServerClient(url=address)


def headers():
    """A dictionary of its own for each question, since the client adds to it."""
    return {"authorization": f"Bearer {token}"}


def tensor(name, texts, is_binary):
    column = http.InferInput(name, [len(texts)], "BYTES")
    column.set_data_from_numpy(numpy.array(texts, dtype=object), binary_data=is_binary)
    return column


def ask(is_binary, outputs=None):
    teams = [("home", ["Arsenal", "Leeds"]), ("away", ["Leeds", "Arsenal"]), ("league", ["epl", "epl"])]
    inputs = [tensor(name, texts, is_binary) for name, texts in teams]
    return client.infer("edge", inputs, headers=headers(), request_id="42", outputs=outputs)


def refused(question):
    try:
        question()
    except InferenceServerException as error:
        return {"status": error.status(), "message": error.message()}
    return None


binary, plain = ask(True), ask(False, [http.InferRequestedOutput("away_win", binary_data=False)])
wrong = [tensor("game_id", ["nonsense"], True)]
print(
    json.dumps(
        {
            "live": client.is_server_live(),
            "ready": client.is_server_ready(),
            "model_ready": client.is_model_ready("edge", headers=headers()),
            "other_ready": client.is_model_ready("other", headers=headers()),
            "server": client.get_server_metadata(headers=headers()),
            "metadata": client.get_model_metadata("edge", headers=headers()),
            "id": binary.get_response()["id"],
            "home_win": binary.as_numpy("home_win").tolist(),
            "members": binary.as_numpy("members").tolist(),
            "game_id": [str(text) for text in binary.as_numpy("game_id").tolist()],
            "outputs": [output["name"] for output in plain.get_response()["outputs"]],
            "away_win": plain.as_numpy("away_win").tolist(),
            "unknown": refused(lambda: client.infer("edge", wrong, headers=headers())),
            "stranger": refused(lambda: client.get_model_metadata("edge")),
        }
    )
)
