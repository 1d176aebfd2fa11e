"""Published conformance suites: what every plugin of a kind is held to, built-in or not.

In a test file of your own, pytest collects the checks as tests::

    from seemkit.testing import PromptContract
    from seemkit_lasso.lasso import Lasso


    class TestLasso(PromptContract):
        prompt = Lasso

Without pytest, ``check_prompt(Lasso)`` gives a :class:`Report`. Importing this module loads no torch.
"""

from seemkit.testing.answer_policy_contract import AnswerPolicyContract, check_answer_policy
from seemkit.testing.backbone_contract import BackboneContract, check_backbone
from seemkit.testing.contract import Check, Contract
from seemkit.testing.dataset_contract import DatasetContract, check_dataset
from seemkit.testing.exporter_contract import ExporterContract, check_exporter
from seemkit.testing.hooks_contract import HooksContract, check_hooks
from seemkit.testing.prompt_contract import PromptContract, check_prompt
from seemkit.testing.report import Outcome, Report
from seemkit.testing.text_encoder_contract import TextEncoderContract, check_text_encoder
from seemkit.testing.violation import Violation

__all__ = [
    "AnswerPolicyContract",
    "BackboneContract",
    "Check",
    "Contract",
    "DatasetContract",
    "ExporterContract",
    "HooksContract",
    "Outcome",
    "PromptContract",
    "Report",
    "TextEncoderContract",
    "Violation",
    "check_answer_policy",
    "check_backbone",
    "check_dataset",
    "check_exporter",
    "check_hooks",
    "check_prompt",
    "check_text_encoder",
]
