"""Tokens that are alike are drawn together; expected numbers are means worked out by hand or by numpy."""

import numpy as np

from seemkit.concepts.thin import thin_tokens

RNG = np.random.default_rng(0)


def test_clear_clusters_are_found_with_their_sizes_and_means() -> None:
    centres = RNG.normal(size=(3, 8)).astype(np.float32) * 10
    owners = np.repeat([0, 1, 2], [5, 2, 9])
    rows = (centres[owners] + RNG.normal(size=(16, 8)) * 0.01).astype(np.float32)
    content, offset, counts = thin_tokens(rows, None, 3)
    assert offset is None
    order = np.argsort(counts)
    assert counts[order].tolist() == [2, 5, 9]
    expected = np.stack([rows[owners == k].mean(0) for k in (1, 0, 2)])
    np.testing.assert_allclose(content.dense()[order], expected, atol=np.abs(expected).max() / 250)


def test_rows_with_one_content_stay_apart_where_their_positions_do() -> None:
    content = np.ones((6, 4), np.float32)
    position = content + np.repeat([[0.0], [5.0]], 3, axis=0).astype(np.float32)
    thinned, offset, counts = thin_tokens(content, position, 2)
    assert offset is not None
    assert sorted(offset.dense()[:, 0].tolist()) == [0.0, 5.0]
    assert thinned.dense().tolist() == [[1.0] * 4] * 2
    assert counts.tolist() == [3, 3]


def test_eight_bits_are_as_near_as_half_a_step() -> None:
    rows = RNG.normal(size=(10, 32)).astype(np.float32)
    content, _, counts = thin_tokens(rows, None, 10)
    assert counts.tolist() == [1] * 10
    assert content.values.dtype == np.int8
    step = np.abs(rows).max(axis=1, keepdims=True) / 127
    assert (np.abs(content.dense() - rows) <= step / 2 + 1e-6).all()
    zero, _, _ = thin_tokens(np.zeros((2, 4), np.float32), None, 1)
    assert zero.dense().tolist() == [[0.0] * 4]


def test_one_token_is_the_mean_and_all_are_as_they_are() -> None:
    rows = RNG.normal(size=(40, 8)).astype(np.float32)
    content, _, counts = thin_tokens(rows, None, 1)
    assert counts.tolist() == [40]
    np.testing.assert_allclose(content.dense()[0], rows.mean(0), atol=np.abs(rows.mean(0)).max() / 250)
    content, offset, counts = thin_tokens(rows, rows + 1, None)
    assert offset is not None
    assert np.array_equal(content.dense(), rows)
    assert np.array_equal(offset.dense(), (rows + 1) - rows)
    assert counts.tolist() == [1] * 40
