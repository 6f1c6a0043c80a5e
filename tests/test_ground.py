from annotate.models import Role


def test_a_project_starts_with_a_schema_and_its_admin(project, alice):
    assert project.schema_version.number == 1
    assert project.memberships.get(user=alice).role == Role.ADMIN
