import json

import numpy as np
import pytest

from cli_helpers import message, output
from softjac import softmax, softmax_jacobian

LOGITS = np.array([[1.0, 2.0, 3.0], [-1.0, 0.5, -2000.0], [0.1, -np.inf, 7.0], [1e-300, 0.0, -0.0]])


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def write_csv(path, rows):
    with open(path, "w") as file:
        file.writelines(",".join(map(repr, row)) + "\n" for row in rows.tolist())


@pytest.mark.parametrize("suffix", ["csv", "npy", "npz", "NPY"])
@pytest.mark.parametrize("axis", [None, 0, 1, -1, -2])
def test_rows_from_a_file(suffix, axis):
    path = f"logits.{suffix}"
    if suffix == "csv":
        write_csv(path, LOGITS)
    elif suffix == "npz":
        np.savez(path, any_name=LOGITS)
    else:
        with open(path, "wb") as file:
            np.save(file, LOGITS)
    words = [path, "-o", "result.npy"] + ([] if axis is None else ["--axis", str(axis)])
    axis = -1 if axis is None else axis
    assert output("softmax", *words) == ""
    np.testing.assert_array_equal(np.load("result.npy"), softmax(LOGITS, axis=axis))
    assert output("jacobian", *words) == ""
    np.testing.assert_array_equal(np.load("result.npy"), softmax_jacobian(LOGITS, axis=axis))


@pytest.mark.parametrize(
    "text",
    ["1,2,3\n-1,0.5,-2e3\n", "1 2 3\n-1 0.5 -2e3", "1;2;3\r\n-1;0.5;-2e3\r\n", "\ufeff1,2,3\n-1,0.5,-2e3\n\n\n",
     "# a comment\n1\t2\t3\n-1\t0.5\t-2e3\n", '"1","2","3"\n"-1"," 0.5","-2e3"\n', " 1,  2,3\n -1, 0.5,-2e3\n"],
)  # fmt: skip
def test_ways_to_write_rows(text):
    with open("logits.csv", "w", encoding="utf-8", newline="") as file:
        file.write(text)
    expected = output("softmax", "[[1, 2, 3], [-1, 0.5, -2e3]]", "--format", "csv")
    assert output("softmax", "logits.csv", "--format", "csv") == expected
    assert output("softmax", "-", "--format", "csv", stdin=text) == expected
    assert output("softmax", "--format", "csv", stdin=text) == expected


def test_numbers_above_the_rows_are_a_row():
    assert output("softmax", "--format", "csv", stdin="0,1\n3,3\n").splitlines()[1:] == ["0.5,0.5"]


def test_lists_from_standard_input():
    expected = output("softmax", "[[1, 2], [3, 5]]", "--format", "csv")
    for text in (
        "[[1, 2], [3, 5]]",
        "[[1, 2],\n [3, 5]]\n",
        "[1, 2]\n[3, 5]\n",
        str(np.array([[1.0, 2.0], [3.0, 5.0]])),
    ):
        assert output("softmax", "--format", "csv", stdin=text) == expected


def test_one_line_of_standard_input_is_a_vector_and_one_line_of_a_file_a_row():
    assert output("jacobian", stdin="1 2 3\n") == output("jacobian", "1", "2", "3")
    write_csv("one.csv", LOGITS[:1])
    assert json.loads(output("softmax", "one.csv", "--format", "json")) == [softmax(LOGITS[0]).tolist()]
    assert output("jacobian", "one.csv", "--format", "csv").startswith("row,i,z[0],z[1],z[2]\n0,0,0.08")
    assert output("jacobian", "one.csv") == output("jacobian", "1", "2", "3")


def test_a_column_is_read_once_the_axis_is_said():
    column = np.array([[0.25], [-1.0], [2.3], [-0.2], [1.0]])
    write_csv("column.csv", column)
    np.save("column.npy", column)
    for path in ("column.csv", "column.npy"):
        printed = json.loads(output("softmax", path, "--axis", "0", "--decimals", "8", "--format", "json"))
        assert printed == [[0.08468093], [0.02426149], [0.6577931], [0.05399495], [0.17926953]]
        assert np.shape(json.loads(output("jacobian", path, "--axis", "0", "--format", "json"))) == (1, 5, 5)
        assert output("jacobian", path, "--axis", "0") == output("jacobian", "0.25", "-1", "2.3", "-0.2", "1")
        assert output("softmax", path, "--axis", "1", "--format", "csv") == "1.0\n" * 5
    assert "add --axis 0" in message("softmax", "column.npy")
    write_csv("single.csv", column[:1])
    assert output("softmax", "single.csv", "--format", "csv") == "1.0\n"


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", ">f4", ">f8", "i1", "u8", "?"])
def test_dtypes_of_npy_files(dtype):
    logits = np.array([[0, 1, 1], [1, 0, 0]], dtype=dtype)
    np.save("logits.npy", logits)
    expected = softmax(logits)
    output("softmax", "logits.npy", "-o", "result.npy")
    result = np.load("result.npy")
    assert result.dtype.newbyteorder("=") == expected.dtype.newbyteorder("=")
    np.testing.assert_array_equal(result, expected)
    printed = np.array(json.loads(output("softmax", "logits.npy", "--format", "json")))
    np.testing.assert_array_equal(printed.astype(expected.dtype), expected)
    if expected.dtype.itemsize < 8:
        digits = {2: 5, 4: 10}[expected.dtype.itemsize]
        assert max(
            len(x) for x in output("softmax", "logits.npy", "--format", "csv").replace("\n", ",").split(",")
        ) <= (digits + 2)
    assert output("jacobian", "logits.npy").count(" 0   0.") == 6  # row sums are 0 in every dtype


def test_one_array_of_several():
    np.savez("two.npz", logits=LOGITS, other=np.zeros(2))
    assert output("softmax", "two.npz", "--array", "other", "--format", "csv") == "0.5,0.5\n"
    assert output("softmax", "--array=logits", "two.npz") == output("softmax", "--array", "logits", "two.npz")


def test_formats_by_suffix():
    for suffix, name in (
        ("txt", "text"), ("json", "json"), ("csv", "csv"), ("md", "markdown"), ("tex", "latex"), ("JSON", "json"),
    ):  # fmt: skip
        path = f"result.{suffix}"
        assert output("jacobian", "1", "2", "3", "-o", path) == ""
        with open(path, newline="") as file:
            assert file.read() == output("jacobian", "1", "2", "3", "--format", name)
    output("jacobian", "1", "2", "3", "--output=other", "--format", "csv")
    with open("other") as file:
        assert file.read() == output("jacobian", "1", "2", "3", "--format", "csv")
    output("softmax", "1", "2", "3", "--format", "npy", "-o=array")
    np.testing.assert_array_equal(np.load("array"), softmax([1.0, 2.0, 3.0]))


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8"])
@pytest.mark.parametrize("decimals", [0, 3, 17])
def test_decimals_round_an_array_as_they_round_text(dtype, decimals):
    np.save("logits.npy", np.array([[1, 2, 3], [0, 20, -1], [np.nan, 1, 2]], dtype=dtype))
    for command in ("softmax", "jacobian"):
        words = [command, "logits.npy", "--decimals", str(decimals)]
        output(*words, "-o", "result.npy")
        result = np.load("result.npy")
        assert result.dtype == np.dtype(dtype)
        printed = json.loads(output(*words, "--format", "json").replace("null", "NaN"))
        np.testing.assert_array_equal(result, np.array(printed).astype(dtype))
        assert not np.signbit(result[result == 0]).any()


def test_what_is_written_can_be_read_again():
    write_csv("logits.csv", LOGITS)
    for suffix in ("csv", "npy"):
        output("softmax", "logits.csv", "-o", f"once.{suffix}")
        output("softmax", f"once.{suffix}", "-o", "twice.npy")
        np.testing.assert_array_equal(np.load("twice.npy"), softmax(softmax(LOGITS)))
    printed = output("softmax", "1", "2", "3", "--format", "json")
    np.testing.assert_array_equal(
        json.loads(output("softmax", "--format", "json", stdin=printed)), softmax(softmax([1.0, 2, 3]))
    )


def test_many_rows_go_through_in_blocks(monkeypatch):
    monkeypatch.setattr("softjac._cli.results._BLOCK", 50)
    logits = np.random.default_rng(0).normal(size=(33, 4))
    np.save("logits.npy", logits)
    for command, function in (("softmax", softmax), ("jacobian", softmax_jacobian)):
        for axis in (0, 1):
            output(command, "logits.npy", "--axis", str(axis), "-o", "result.npy")
            np.testing.assert_array_equal(np.load("result.npy"), function(logits, axis=axis))
            printed = json.loads(output(command, "logits.npy", "--axis", str(axis), "--format", "json"))
            np.testing.assert_array_equal(np.array(printed), function(logits, axis=axis))
    table = output("jacobian", "logits.npy", "--format", "csv").splitlines()
    assert table[0] == "row,i,z[0],z[1],z[2],z[3]"
    read = np.loadtxt(table[1:], delimiter=",")
    assert read[:, :2].astype(int).tolist() == [[row, i] for row in range(33) for i in range(4)]
    np.testing.assert_array_equal(read[:, 2:].reshape(33, 4, 4), softmax_jacobian(logits))


def test_a_file_may_be_its_own_result():
    np.save("x.npy", LOGITS)
    output("softmax", "x.npy", "-o", "x.npy")
    np.testing.assert_array_equal(np.load("x.npy"), softmax(LOGITS))
